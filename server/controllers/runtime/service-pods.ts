import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { matchesLabelMap } from '../../../api/selectors/label-selectors.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { Pod, Service } from '../../../api/types/core-v1.ts';
import { type ControllerDependencies, type Watch, watching } from './define-controller.ts';

/** Enqueues the Services that select a Pod, when it changes in a way that their endpoints show. */
export function watchingPodsOfServices(): Watch {
  return watching(pods, servicesSelecting, hasEndpointChanged);
}

function servicesSelecting(pod: DeepReadonly<Pod>, { lister }: ControllerDependencies): ObjectKey[] {
  const matches = (service: DeepReadonly<Service>) => matchesLabelMap(service.spec?.selector, pod.metadata.labels);
  return lister(services)
    .list({ namespace: pod.metadata.namespace ?? '', matches })
    .map(keyOf);
}

function hasEndpointChanged(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): boolean {
  const seen = (one: DeepReadonly<Pod>) => [
    one.metadata.uid,
    one.metadata.labels,
    one.metadata.deletionTimestamp,
    one.spec?.nodeName,
    one.spec?.hostname,
    one.spec?.subdomain,
    one.status?.podIPs,
    one.status?.podIP,
    isPodReady(one),
    isPodFinished(one),
  ];
  return !isEqual(seen(pod), seen(old));
}

/** Whether the Pod has an address that traffic or DNS may lead to. */
export function isEndpoint(pod: DeepReadonly<Pod>, includeTerminating: boolean): boolean {
  if (isPodFinished(pod)) return false;
  if ((pod.status?.podIP ?? '') === '' && (pod.status?.podIPs ?? []).length === 0) return false;
  return includeTerminating || pod.metadata.deletionTimestamp === undefined;
}

/** The Pod's DNS host name below the Service, if it has one. */
export function endpointHostname(pod: DeepReadonly<Pod>, service: DeepReadonly<Service>): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/** The Pods that the Service selects. */
export function podsOfService(service: DeepReadonly<Service>, { lister }: ControllerDependencies): DeepReadonly<Pod>[] {
  const matches = (pod: DeepReadonly<Pod>) => matchesSelector(service.spec?.selector, pod.metadata.labels);
  return lister(pods).list({ namespace: service.metadata.namespace ?? '', matches });
}

/** Whether labels match a selector, as matchesLabelMap judges it; but an empty selector that is present selects everything. */
function matchesSelector(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined) return false;
  return Object.keys(selector).length === 0 || matchesLabelMap(selector, labels);
}
