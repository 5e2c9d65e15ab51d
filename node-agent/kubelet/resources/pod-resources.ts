import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pod-containers.ts';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import type { CgroupLimits } from '../../linux/cgroups.ts';
import { quantityMilliValue, quantityValue } from '../../../api/quantity/arithmetic.ts';

export type QOSClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** CPU in millicores, memory in bytes. Absent: none asked for. */
export interface ResourceAmounts {
  readonly cpu?: number;
  readonly memory?: number;
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

/** The class the server wrote, or what the containers' resources make of it (main and init containers count). */
export function qosClassOf(pod: DeepReadonly<Pod>): QOSClass {
  const recorded = pod.status?.qosClass;
  if (recorded) return recorded;
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const limits = containers.map(limitsOf);
  const requests = containers.map(requestsOf);
  if ([...limits, ...requests].every(({ cpu, memory }) => !cpu && !memory)) return 'BestEffort';
  const isGuaranteed = limits.every(
    ({ cpu, memory }, index) => cpu && memory && requests[index]?.cpu === cpu && requests[index]?.memory === memory,
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

function add(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  return { cpu: (a.cpu ?? 0) + (b.cpu ?? 0), memory: (a.memory ?? 0) + (b.memory ?? 0) };
}

/**
 * What a Pod takes as a whole: its main containers and sidecars at once, or the hungriest moment of its initialisation,
 * whichever is more, plus the overhead of its runtime class. Pod-level resources, where given, come first.
 */
export function podRequests(pod: DeepReadonly<Pod>): ResourceAmounts {
  return aggregate(pod, requestsOf, amounts({ ...pod.spec?.resources?.limits, ...pod.spec?.resources?.requests }));
}

/** As podRequests; a resource is absent as soon as one container is unlimited in it. */
export function podLimits(pod: DeepReadonly<Pod>): ResourceAmounts {
  const total = aggregate(pod, limitsOf, amounts(pod.spec?.resources?.limits ?? {}));
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(limitsOf);
  const whole = amounts(pod.spec?.resources?.limits ?? {});
  const isBounded = (resource: 'cpu' | 'memory') => whole[resource] !== undefined || containers.every((limits) => limits[resource]);
  return {
    ...(isBounded('cpu') && total.cpu ? { cpu: total.cpu } : {}),
    ...(isBounded('memory') && total.memory ? { memory: total.memory } : {}),
  };
}

function aggregate(
  pod: DeepReadonly<Pod>,
  of: (container: ContainerResources) => ResourceAmounts,
  podLevel: ResourceAmounts,
): ResourceAmounts {
  let sum: ResourceAmounts = {};
  for (const container of pod.spec?.containers ?? []) sum = add(sum, of(container));
  let sidecars: ResourceAmounts = {};
  let peak: ResourceAmounts = {};
  for (const container of pod.spec?.initContainers ?? []) {
    const during = add(sidecars, of(container));
    if (isRestartableInitContainer(container)) sidecars = during;
    peak = { cpu: Math.max(peak.cpu ?? 0, during.cpu ?? 0), memory: Math.max(peak.memory ?? 0, during.memory ?? 0) };
  }
  sum = add(sum, sidecars);
  const most = { cpu: Math.max(sum.cpu ?? 0, peak.cpu ?? 0), memory: Math.max(sum.memory ?? 0, peak.memory ?? 0) };
  return add({ ...most, ...podLevel }, amounts(pod.spec?.overhead ?? {}));
}

const minShares = 2;
const maxShares = 262_144;
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

/** Limits of the cgroup that holds all of a Pod's containers. */
export function podCgroupLimits(pod: DeepReadonly<Pod>, pidsLimit: number | undefined): CgroupLimits {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const pids = pidsLimit === undefined ? {} : { pids: pidsLimit };
  if (qosClassOf(pod) === 'BestEffort') return { cpuShares: minShares, ...pids };
  return {
    cpuShares: cpuShares(requests.cpu ?? 0),
    ...(limits.cpu ? { cpuQuota: cpuQuota(limits.cpu) } : {}),
    ...(limits.memory ? { memoryBytes: limits.memory } : {}),
    ...pids,
  };
}

/** Name of a Pod's cgroup below the node's root cgroup for pods. */
export function podCgroupName(root: string, pod: DeepReadonly<Pod>): string {
  const folder = { Guaranteed: '', Burstable: '/burstable', BestEffort: '/besteffort' }[qosClassOf(pod)];
  return `${root}${folder}/pod${pod.metadata.uid}`;
}

/**
 * How willingly the kernel kills a container when memory runs out: Guaranteed last, BestEffort first, Burstable in between
 * by its share of the machine's memory (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/).
 */
export function oomScoreAdj(pod: DeepReadonly<Pod>, container: ContainerResources, machineMemoryBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= 2_000_001_000) return -997;
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = requestsOf(container).memory ?? 0;
  const score = 1000 - Math.floor((1000 * request) / machineMemoryBytes);
  if (score < 1000 - 997) return 1000 - 997;
  return score === 1000 ? 999 : score;
}
