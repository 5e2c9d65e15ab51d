import { defaultPullPolicy } from '../../semantics/pods/image-reference.ts';
import type { Container, EphemeralContainer, Pod, Volume } from '../../types/core-v1.ts';
import { type ConditionalDefaults, isUnset } from './conditional-default.ts';
import { defaultPodLevelResources } from './pod-resources.ts';

/** Only for Pods themselves; a template leaves these open until a Pod is made of it. */
function defaultPod({ spec }: Pod): void {
  if (!spec) return;
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const resources = container.resources;
    if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests };
    if (spec.hostNetwork !== true) continue;
    for (const port of container.ports ?? []) if (isUnset(port.hostPort)) port.hostPort = port.containerPort;
  }
  defaultPodLevelResources(spec);
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '');
}

function defaultVolume(volume: Volume): void {
  if (!Object.entries(volume).some(([field, value]) => field !== 'name' && value !== undefined && value !== null)) volume.emptyDir = {};
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '');
}

export const podDefaults: ConditionalDefaults = [
  ['io.k8s.api.core.v1.Pod', defaultPod],
  ['io.k8s.api.core.v1.Container', defaultContainer],
  ['io.k8s.api.core.v1.EphemeralContainer', defaultContainer],
  ['io.k8s.api.core.v1.Volume', defaultVolume],
];
