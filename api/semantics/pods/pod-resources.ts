import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Quantity } from '../../base/quantity/quantity.ts';
import type { Container, Pod, PodSpec } from '../../types/core-v1.ts';
import { isRestartableInitContainer } from './pod-containers.ts';
import { addResources, isPodLevelResource, parseResourceList, raiseResources, type ResourceAmounts } from './resource-list.ts';

type Amounts = (container: DeepReadonly<Container>) => ReadonlyMap<string, Quantity>;

interface PodResourceOptions {
  /** Leaves out the resources that the runtime needs beside the containers (spec.overhead). */
  readonly withoutOverhead?: boolean;
  /** Leaves out spec.resources and counts the containers' resources only. */
  readonly withoutPodLevel?: boolean;
}

/**
 * Resources that the containers need at the worst moment: main containers and sidecars run together; an ordinary init container
 * runs beside the sidecars before it only (KEP-753).
 */
function aggregate(spec: DeepReadonly<PodSpec>, amountsOf: Amounts): ResourceAmounts {
  const total: ResourceAmounts = new Map();
  for (const container of spec.containers ?? []) addResources(total, amountsOf(container));
  const sidecars: ResourceAmounts = new Map();
  const initPeak: ResourceAmounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container);
    if (isRestartableInitContainer(container)) {
      addResources(total, own);
      addResources(sidecars, own);
      raiseResources(initPeak, sidecars);
    } else {
      const together: ResourceAmounts = new Map(own);
      addResources(together, sidecars);
      raiseResources(initPeak, together);
    }
  }
  raiseResources(total, initPeak);
  return total;
}

/** Requests as the status reports them while a resize is under way: the most of asked for and given. */
function requestsOf(pod: DeepReadonly<Pod>): Amounts {
  const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const statuses = new Map(all.toReversed().map((status) => [status.name, status]));
  return (container) => {
    const asked = parseResourceList(container.resources?.requests);
    const status = statuses.get(container.name);
    if (status?.resources === undefined) return asked;
    const isInfeasible = pod.status?.conditions?.some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible');
    const given = parseResourceList(status.resources.requests ?? {});
    if (isInfeasible) {
      raiseResources(given, parseResourceList(status.allocatedResources));
      return given.size > 0 ? given : asked;
    }
    raiseResources(asked, given);
    raiseResources(asked, parseResourceList(status.allocatedResources));
    return asked;
  };
}

/** Resources that the scheduler reserves for the Pod on its node. */
export function podRequests(pod: DeepReadonly<Pod>, options: PodResourceOptions = {}): ResourceAmounts {
  if (pod.spec === undefined) return new Map();
  const total = aggregate(pod.spec, requestsOf(pod));
  if (!options.withoutPodLevel) applyPodLevel(total, pod.spec.resources?.requests);
  if (!options.withoutOverhead) addResources(total, parseResourceList(pod.spec.overhead));
  return total;
}

/** The most that the Pod may use; resources without a limit are absent. Overhead counts only where there is a limit. */
export function podLimits(pod: DeepReadonly<Pod>, options: PodResourceOptions = {}): ResourceAmounts {
  if (pod.spec === undefined) return new Map();
  const total = aggregate(pod.spec, (container) => parseResourceList(container.resources?.limits));
  if (!options.withoutPodLevel) applyPodLevel(total, pod.spec.resources?.limits);
  if (!options.withoutOverhead) {
    const overhead = parseResourceList(pod.spec.overhead);
    for (const name of overhead.keys()) if (!total.has(name)) overhead.delete(name);
    addResources(total, overhead);
  }
  return total;
}

function applyPodLevel(total: ResourceAmounts, list: Readonly<Record<string, string>> | undefined): void {
  for (const [name, quantity] of parseResourceList(list)) if (isPodLevelResource(name)) total.set(name, quantity);
}
