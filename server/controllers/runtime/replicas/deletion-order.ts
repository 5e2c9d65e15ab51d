import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { findTime } from '../../../../api/meta/time.ts';
import { isRestartableInitContainer } from '../../../../api/semantics/pods/pod-containers.ts';
import { findPodCondition, isPodReady } from '../../../../api/semantics/pods/pod-conditions.ts';
import type { Pod } from '../../../../api/types/core-v1.ts';

const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const phases: readonly string[] = ['Pending', 'Unknown', 'Running'];

/**
 * The `count` surplus Pods to delete, the least valuable first: not assigned to a node, not running, not
 * ready, of lower deletion cost, on a node with more Pods of the same kind (`related`), ready for less time, restarted more
 * often, younger. Times are compared by their order of magnitude and then at random (by uid), so that not always the
 * newest go and spread is kept (KEP-2185).
 */
export function podsToDelete(
  active: readonly DeepReadonly<Pod>[],
  related: readonly DeepReadonly<Pod>[],
  count: number,
  nowMs: number,
): DeepReadonly<Pod>[] {
  if (count >= active.length) return [...active];
  const perNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName;
    if (node) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const rank = (pod: DeepReadonly<Pod>) => perNode.get(pod.spec?.nodeName ?? '') ?? 0;
  return [...active].sort((a, b) => compare(a, b, rank, nowMs)).slice(0, count);
}

type Rank = (pod: DeepReadonly<Pod>) => number;

/** Negative if `a` is to go before `b`. */
function compare(a: DeepReadonly<Pod>, b: DeepReadonly<Pod>, rank: Rank, nowMs: number): number {
  const ready = (pod: DeepReadonly<Pod>) => Number(isPodReady(pod));
  const criteria: readonly ((pod: DeepReadonly<Pod>) => number)[] = [
    (pod) => Number((pod.spec?.nodeName ?? '') !== ''),
    (pod) => phases.indexOf(pod.status?.phase ?? 'Pending'),
    ready,
    costOf,
    (pod) => -rank(pod),
  ];
  for (const criterion of criteria) {
    const difference = criterion(a) - criterion(b);
    if (difference !== 0) return difference;
  }
  if (ready(a) === 1) {
    const byReadiness = compareTimes(a, b, (pod) => findTime(findPodCondition(pod, 'Ready')?.lastTransitionTime), nowMs);
    if (byReadiness !== 0) return byReadiness;
  }
  for (const restarts of [containerRestarts, sidecarRestarts]) {
    const difference = restarts(b) - restarts(a);
    if (difference !== 0) return difference;
  }
  return compareTimes(a, b, (pod) => findTime(pod.metadata.creationTimestamp), nowMs);
}

function compareTimes(
  a: DeepReadonly<Pod>,
  b: DeepReadonly<Pod>,
  timeOf: (pod: DeepReadonly<Pod>) => number | undefined,
  nowMs: number,
): number {
  const [timeA, timeB] = [timeOf(a), timeOf(b)];
  if (timeA === timeB) return 0;
  if (timeA === undefined || timeB === undefined) return timeA === undefined ? -1 : 1;
  const difference = magnitude(nowMs - timeA) - magnitude(nowMs - timeB);
  if (difference !== 0) return difference;
  return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
}

/** The power of two of an age in nanoseconds, so that the steps lie at upstream's values. */
function magnitude(ageMs: number): number {
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1;
}

function costOf(pod: DeepReadonly<Pod>): number {
  const text = pod.metadata.annotations?.[deletionCost] ?? '';
  // Anything but a plain int32 is refused by the API when the annotation is written, and counts as 0 here.
  return /^(?:0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function containerRestarts(pod: DeepReadonly<Pod>): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount));
}

function sidecarRestarts(pod: DeepReadonly<Pod>): number {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isRestartableInitContainer).map((container) => container.name));
  const statuses = (pod.status?.initContainerStatuses ?? []).filter((status) => sidecars.has(status.name));
  return Math.max(0, ...statuses.map((status) => status.restartCount));
}
