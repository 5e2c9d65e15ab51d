import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { compareQuantities } from '../../base/quantity/arithmetic.ts';
import type { Pod, PodSpec, ResourceRequirements } from '../../types/core-v1.ts';
import { addResources, isPodLevelResource, parseResourceList, type ResourceAmounts } from './resource-list.ts';

type QOSClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const classResources = ['cpu', 'memory'] as const;

/** The class by which the node decides whom to evict first: from cpu and memory of all containers, or of the Pod as a whole. */
export function computeQOSClass(spec: DeepReadonly<PodSpec>): QOSClass {
  const parties: readonly (DeepReadonly<ResourceRequirements> | undefined)[] = hasPodLevelResources(spec)
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.resources);
  const requests: ResourceAmounts = new Map();
  const limits: ResourceAmounts = new Map();
  let allLimited = true;
  for (const party of parties) {
    addResources(requests, positive(party?.requests));
    const own = positive(party?.limits);
    addResources(limits, own);
    if (!classResources.every((name) => own.has(name))) allLimited = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const equal = Array.from(requests).every(([name, request]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantities(limit, request) === 0;
  });
  return allLimited && equal && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}

/** Whether the Pod gives resources for itself as a whole, which then count instead of its containers' resources. */
function hasPodLevelResources({ resources }: DeepReadonly<PodSpec>): boolean {
  return [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})].some(isPodLevelResource);
}

/** The class in the status, or else the one computed from the spec. */
export function podQOSClass(pod: DeepReadonly<Pod>): QOSClass {
  return pod.status?.qosClass ?? (pod.spec ? computeQOSClass(pod.spec) : 'BestEffort');
}

function positive(list: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  const amounts = parseResourceList(list);
  for (const [name, quantity] of amounts) {
    if (quantity.unscaled <= 0n || !(classResources as readonly string[]).includes(name)) amounts.delete(name);
  }
  return amounts;
}
