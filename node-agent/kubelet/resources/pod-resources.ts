import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Quantity } from '../../../api/base/quantity/quantity.ts';
import { formatResourceList } from '../../../api/semantics/pods/resource-list.ts';
import { hugePageLimits } from './huge-pages.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import { podLimits, podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { podQOSClass } from '../../../api/semantics/pods/qos-class.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import type { CgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { CgroupLimits } from '../../linux/cgroups/cgroup-values.ts';
import { quantityMilliValue, quantityValue } from '../../../api/base/quantity/arithmetic.ts';

/** CPU in millicores, memory in bytes. Absent: none asked for. */
interface ResourceAmounts {
  readonly cpu?: number;
  readonly memory?: number;
}

/** Memory that a Pod requests as a whole, and no container of it. */
function requestBeyondContainers(pod: DeepReadonly<Pod>): number {
  const whole = pod.spec?.resources?.requests?.['memory'];
  if (whole === undefined) return 0;
  const { status: _status, ...present } = pod;
  const ofContainers = podRequests(present, { withoutOverhead: true, withoutPodLevel: true }).get('memory');
  return Math.max(0, quantityValue(whole) - (ofContainers ? quantityValue(ofContainers) : 0));
}

type ContainerResources = Pick<DeepReadonly<Container>, 'resources'>;

export function requestsOf({ resources }: ContainerResources): ResourceAmounts {
  return amounts({ ...resources?.limits, ...resources?.requests });
}

export function limitsOf({ resources }: ContainerResources): ResourceAmounts {
  return amounts(resources?.limits ?? {});
}

function amounts(list: Readonly<Record<string, string | number>>): ResourceAmounts {
  const { cpu, memory } = list;
  return {
    ...(cpu === undefined ? {} : { cpu: quantityMilliValue(String(cpu)) }),
    ...(memory === undefined ? {} : { memory: quantityValue(String(memory)) }),
  };
}

/** The amounts of the Pod as a whole. */
function podAmounts(amounts: ReadonlyMap<string, Quantity>): ResourceAmounts {
  const cpu = amounts.get('cpu');
  const memory = amounts.get('memory');
  return { ...(cpu ? { cpu: quantityMilliValue(cpu) } : {}), ...(memory ? { memory: quantityValue(memory) } : {}) };
}

/** The limits of the Pod. A resource is absent if one container is unlimited in it, unless the Pod as a whole is limited. */
export function podBounds(pod: DeepReadonly<Pod>): ResourceAmounts {
  const { cpu, memory } = podAmounts(podLimits(pod));
  const whole = amounts(pod.spec?.resources?.limits ?? {});
  const limits = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(limitsOf);
  const isBounded = (resource: 'cpu' | 'memory') => whole[resource] !== undefined || limits.every((limit) => limit[resource]);
  return { ...(cpu && isBounded('cpu') ? { cpu } : {}), ...(memory && isBounded('memory') ? { memory } : {}) };
}

/** A container with its effective limits: where it has none, those of the Pod as a whole (KEP-2837). */
export function boundedByPod<T extends ContainerResources>(pod: DeepReadonly<Pod>, container: T): T {
  const { cpu, memory } = pod.spec?.resources?.limits ?? {};
  if (cpu === undefined && memory === undefined) return container;
  const whole = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  return { ...container, resources: { ...container.resources, limits: { ...whole, ...container.resources?.limits } } };
}

const minShares = 2;
export const maxShares = 262_144;
const minQuota = 1000;

/** Weight of the CPU scheduler for an amount of millicores; 2 for none. */
export function cpuShares(millicores: number): number {
  if (millicores === 0) return minShares;
  return Math.min(Math.max(Math.floor((millicores * 1024) / 1000), minShares), maxShares);
}

/** Microseconds per period of 100 ms; 0 for no limit. */
export function cpuQuota(millicores: number): number {
  return millicores === 0 ? 0 : Math.max(Math.floor((millicores * 100_000) / 1000), minQuota);
}

/** The node's rules for the cgroups of all Pods. */
export interface PodCgroupRules {
  /** Processes and threads; undefined: any number. */
  readonly pidsLimit: number | undefined;
  /** Sizes of the huge pages that the kernel limits, in bytes. */
  readonly hugePageSizes: readonly number[];
}

/** Limits of the cgroup that holds all of a Pod's containers. */
export function podCgroupLimits(pod: DeepReadonly<Pod>, { pidsLimit, hugePageSizes }: PodCgroupRules): CgroupLimits {
  // The status of an earlier size is no request any more.
  const { status: _status, ...present } = pod;
  const requests = podAmounts(podRequests(present));
  const limits = podBounds(pod);
  const hugePages = hugePageLimits(hugePageSizes, formatResourceList(podLimits(present)));
  const common = { ...(pidsLimit === undefined ? {} : { pids: pidsLimit }), ...(hugePageSizes.length === 0 ? {} : { hugePages }) };
  if (podQOSClass(pod) === 'BestEffort') return { cpuShares: minShares, ...common };
  return {
    cpuShares: cpuShares(requests.cpu ?? 0),
    ...(limits.cpu ? { cpuQuota: cpuQuota(limits.cpu) } : {}),
    ...(limits.memory ? { memoryBytes: limits.memory } : {}),
    ...common,
  };
}

/** Name of a Pod's cgroup. */
export function podCgroupName(names: CgroupNames, pod: DeepReadonly<Pod>): string {
  return names.ofPod(podQOSClass(pod), pod.metadata.uid ?? '');
}

/**
 * How willingly the kernel kills a container when memory runs out: Guaranteed last, BestEffort first, Burstable in between
 * by its share of the machine's memory (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/). What the Pod requests as
 * a whole beyond its containers is divided among them; a sidecar is spared as long as the main containers.
 */
export function oomScoreAdj(
  pod: DeepReadonly<Pod>,
  container: ContainerResources & { readonly name?: string },
  machineMemoryBytes: number,
): number {
  if ((pod.spec?.priority ?? 0) >= 2_000_001_000) return -997;
  const qos = podQOSClass(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const beyond = requestBeyondContainers(pod) / (containers.length + initContainers.length);
  const memoryOf = (one: ContainerResources) => Math.floor((requestsOf(one).memory ?? 0) + beyond);
  const isSidecar = initContainers.some((one) => one.name === container.name && isRestartableInitContainer(one));
  const request = Math.max(memoryOf(container), ...(isSidecar ? [Math.min(...containers.map(memoryOf))] : []));
  const score = 1000 - Math.floor((1000 * request) / machineMemoryBytes);
  if (score < 1000 - 997) return 1000 - 997;
  return score === 1000 ? 999 : score;
}
