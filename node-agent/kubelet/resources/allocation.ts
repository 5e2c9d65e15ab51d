import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { compareQuantities, quantityMilliValue, quantityOf, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { addResources, parseResourceList, type ResourceAmounts } from '../../../api/semantics/pods/resource-list.ts';
import type { Container, Node, Pod, PodSpec, ResourceRequirements } from '../../../api/types/core-v1.ts';
import { canonicalizeQuantity } from '../../../api/base/quantity/quantity.ts';

/**
 * The resources that the node has allocated to each container, and under '' to the Pod as a whole if it requests any. The spec may request
 * more, or changes that are not allocated yet (KEP-1287, KEP-5419).
 */
export type Allocation = ReadonlyMap<string, DeepReadonly<ResourceRequirements>>;

const ofPod = '';

type PodOnNode = DeepReadonly<Pod>;

/** Only of those that can be resized: main containers and sidecars. */
function resizable(spec: DeepReadonly<PodSpec> | undefined): DeepReadonly<Container>[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isRestartableInitContainer)];
}

export function requestedAllocation({ spec }: PodOnNode): Allocation {
  return new Map([...wholeOf(spec?.resources), ...resizable(spec).map(({ name, resources }) => [name, resources ?? {}] as const)]);
}

function wholeOf(resources: DeepReadonly<ResourceRequirements> | undefined): [string, DeepReadonly<ResourceRequirements>][] {
  return resources === undefined ? [] : [[ofPod, resources]];
}

/** The resources that were given before the agent was restarted, as the status records them; else those of the spec. */
export function recordedAllocation(pod: PodOnNode): Allocation {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const { resources: whole } = pod.spec ?? {};
  const { allocatedResources, resources: present } = pod.status ?? {};
  const recorded = whole && allocatedResources ? { ...whole, ...present, requests: wholeRequests(whole, allocatedResources) } : whole;
  return new Map([
    ...wholeOf(recorded),
    ...resizable(pod.spec).map(({ name, resources = {} }): [string, DeepReadonly<ResourceRequirements>] => {
      const status = statuses.find((candidate) => candidate.name === name);
      if (!status?.state?.running || !status.allocatedResources) return [name, resources];
      const limits = status.resources?.limits ?? resources.limits;
      return [name, { ...resources, requests: { ...status.allocatedResources }, ...(limits ? { limits } : {}) }];
    }),
  ]);
}

/** The requests of the Pod as a whole: of the containers' requests in the status, only resources that the Pod itself requests. */
function wholeRequests(
  { requests = {} }: DeepReadonly<ResourceRequirements>,
  allocated: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(requests).map(([name, quantity]) => [name, allocated[name] ?? quantity]));
}

export function isSameAllocation(a: Allocation, b: Allocation): boolean {
  const amounts = ({ requests = {}, limits = {} }: DeepReadonly<ResourceRequirements>) =>
    [requests, limits].map((list) =>
      Object.fromEntries(Object.entries(list).map(([name, quantity]) => [name, canonicalizeQuantity(quantity)])),
    );
  return [...a].every(([name, resources]) => isSemanticallyEqual(amounts(resources), amounts(b.get(name) ?? {})));
}

/** The Pod as the node runs it: with the allocated resources in place of the requested ones. */
export function withAllocation(pod: PodOnNode, allocation: Allocation): PodOnNode {
  const apply = (container: DeepReadonly<Container>) => {
    const resources = allocation.get(container.name);
    return resources === undefined ? container : { ...container, resources };
  };
  const { spec } = pod;
  const whole = allocation.get(ofPod);
  if (!spec) return pod;
  return {
    ...pod,
    spec: {
      ...spec,
      ...(whole ? { resources: whole } : {}),
      containers: (spec.containers ?? []).map(apply),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(apply) } : {}),
    },
  };
}

/** The reason why a Pod is not resized, as its condition PodResizePending states it. */
export interface PendingResize {
  readonly reason: 'Deferred' | 'Infeasible';
  readonly message: string;
}

/**
 * Plans whether the node can give the Pod the requested resources. A request that it can never satisfy is infeasible; one that other Pods
 * prevent at present is deferred. `others`: as the node runs them.
 */
export function planResize(pod: PodOnNode, node: DeepReadonly<Node> | undefined, others: readonly PodOnNode[]): PendingResize | undefined {
  if (pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file')
    return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' };
  const allocatable = parseResourceList(node?.status?.allocatable);
  const wanted = requestsOf(pod);
  const used: ResourceAmounts = new Map();
  for (const other of others) addResources(used, requestsOf(other));
  const zero = quantityOf(0);
  const exceeding = (amounts: ReadonlyMap<string, ReturnType<typeof quantityOf>>, names: readonly string[]) =>
    names.find((name) => compareQuantities(amounts.get(name) ?? zero, allocatable.get(name) ?? zero) > 0);
  const shown = (name: string, amounts: ResourceAmounts) => {
    const quantity = amounts.get(name) ?? zero;
    return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
  };
  const infeasible = exceeding(wanted, ['memory', 'cpu']);
  if (infeasible !== undefined) {
    const message = `Node didn't have enough capacity: ${infeasible}, requested: ${shown(infeasible, wanted)}, capacity: ${shown(infeasible, allocatable)}`;
    return { reason: 'Infeasible', message };
  }
  const total: ResourceAmounts = new Map(wanted);
  addResources(total, used);
  const deferred = exceeding(total, ['cpu', 'memory']);
  if (deferred === undefined) return undefined;
  const amounts = `requested: ${shown(deferred, wanted)}, used: ${shown(deferred, used)}, capacity: ${shown(deferred, allocatable)}`;
  return { reason: 'Deferred', message: `Node didn't have enough resource: ${deferred}, ${amounts}` };
}

/** By the spec alone, since this node writes the resize fields of the status itself. */
function requestsOf(pod: PodOnNode): ResourceAmounts {
  const { status: _status, ...rest } = pod;
  return podRequests(rest);
}
