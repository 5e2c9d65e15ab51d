import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import { isSameAllocation, recordedAllocation, requestedAllocation } from '../resources/allocation.ts';
import { boundedByPod, podCgroupLimits, podCgroupName } from '../resources/pod-resources.ts';
import { linuxResources, outdatedResources } from '../resources/runtime-resources.ts';
import { currentInstance, isRunning, type RuntimeContainer, type RuntimePod } from '../runtime/runtime-pod.ts';
import { killContainer } from './kill-container.ts';
import type { PodRecord } from './pod-record.ts';
import type { PodServices } from './pod-services.ts';
import type { PodContext } from './pod-state.ts';
import type { ContainerEvents } from '../containers/container-events.ts';

interface AllocationInput {
  /** The Pod as the API has it. */
  readonly pod: DeepReadonly<Pod>;
  readonly runtimePod: RuntimePod;
  readonly record: PodRecord;
  readonly services: Pick<PodServices, 'resizeProblem'>;
  readonly events: ContainerEvents;
}

/**
 * Allocates the requested resources to the Pod, if the node has them; else records the reason. Before a Pod runs everything is allocated.
 */
export function allocate({ pod, runtimePod, record, services, events }: AllocationInput): void {
  const wanted = requestedAllocation(pod);
  if (runtimePod.sandboxes.length === 0) {
    record.allocation = wanted;
    record.pendingResize = undefined;
    return;
  }
  record.allocation ??= recordedAllocation(pod);
  if (isSameAllocation(wanted, record.allocation)) {
    record.pendingResize = undefined;
    return;
  }
  const problem = services.resizeProblem(pod);
  if (problem) {
    if (record.pendingResize?.message !== problem.message)
      events.event('Warning', `Resize${problem.reason}`, `Pod resize ${problem.reason}: ${describe(pod, problem.message)}`);
    record.pendingResize = problem;
    return;
  }
  record.allocation = wanted;
  record.pendingResize = undefined;
  record.resizing = { generation: pod.metadata.generation ?? 0 };
  events.event('Normal', 'ResizeStarted', `Pod resize started: ${describe(pod)}`);
}

/** In the fields' order of Kubernetes, which tools cut out of it. */
function describe({ metadata, spec }: DeepReadonly<Pod>, error?: string): string {
  const sidecars = (spec?.initContainers ?? []).filter(isRestartableInitContainer).map(summary);
  return JSON.stringify({
    ...(sidecars.length === 0 ? {} : { initContainers: sidecars }),
    containers: (spec?.containers ?? []).map(summary),
    generation: metadata.generation ?? 0,
    ...(error === undefined ? {} : { error }),
  });
}

function summary({ name, resources }: DeepReadonly<Container>) {
  const sorted = (list: Readonly<Record<string, string>> = {}) =>
    Object.keys(list).length === 0 ? undefined : Object.fromEntries(Object.entries(list).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { name, resources: { limits: sorted(resources?.limits), requests: sorted(resources?.requests) } };
}

interface Outdated {
  readonly container: DeepReadonly<Container>;
  readonly instance: RuntimeContainer;
  readonly resources: readonly ('cpu' | 'memory')[];
}

/** Running containers whose resources differ from the allocated ones. */
function outdatedContainers(pod: DeepReadonly<Pod>, runtimePod: RuntimePod): Outdated[] {
  const { spec } = pod;
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isRestartableInitContainer)];
  return containers.flatMap((container) => {
    const instance = currentInstance(runtimePod, container.name);
    if (!instance || !isRunning(instance)) return [];
    const resources = outdatedResources(boundedByPod(pod, container), instance.resources?.linux ?? undefined);
    return resources.length > 0 ? [{ container, instance, resources }] : [];
  });
}

/**
 * Changes running containers to their allocated resources: in place, or by a restart if their policy demands one. The Pod's cgroup is
 * enlarged before and reduced afterwards. Returns whether anything was changed.
 */
export async function resizeContainers(context: PodContext): Promise<boolean> {
  const { pod, runtimePod, record, events } = context;
  const outdated = outdatedContainers(pod, runtimePod);
  if (outdated.length > 0) record.resizing ??= { generation: pod.metadata.generation ?? 0 };
  try {
    if (outdated.length > 0) {
      await resizeOutdated(context, outdated);
      record.resizeProblem = undefined;
      return true;
    }
    // The Pod as a whole may have been resized, and none of its containers.
    if (record.resizing) await limitPod(context);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (record.resizeProblem !== message) events().event('Warning', 'ResizeError', `Pod resize error: ${describe(pod, message)}`);
    record.resizeProblem = message;
    return false;
  }
  if (record.resizing && !record.pendingResize) events().event('Normal', 'ResizeCompleted', `Pod resize completed: ${describe(pod)}`);
  record.resizing = undefined;
  record.resizeProblem = undefined;
  return false;
}

async function limitPod({ pod, services }: PodContext): Promise<void> {
  const { cgroups, cgroupNames, podCgroupRules } = services;
  await services.weighClasses();
  await cgroups.ensure(podCgroupName(cgroupNames, pod), podCgroupLimits(pod, podCgroupRules));
}

async function resizeOutdated(context: PodContext, outdated: readonly Outdated[]): Promise<void> {
  const { pod, services } = context;
  const { cgroups, cgroupNames, podCgroupRules, swap, runtime } = services;
  await services.weighClasses();
  await cgroups.widen(podCgroupName(cgroupNames, pod), podCgroupLimits(pod, podCgroupRules));
  for (const { container, instance, resources } of outdated) {
    const { name } = container;
    const restarts = (container.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && resources.some((resource) => resource === resourceName),
    );
    if (restarts) {
      const graceSeconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
      await killContainer(context, { id: instance.id, name, message: `Container ${name} resize requires restart`, graceSeconds });
    } else await runtime.updateContainerResources(instance.id, linuxResources(pod, container, swap));
  }
  await limitPod(context);
}
