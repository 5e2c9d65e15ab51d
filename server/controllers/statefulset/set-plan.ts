import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { resolveIntOrPercent } from '../../../api/semantics/workloads/int-or-percent.ts';
import { isPodAvailable, isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { StatefulSet, StatefulSetStatus } from '../../../api/types/apps-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { revisionHashLabel } from '../runtime/controller-revisions.ts';
import { hasIdentity, ordinalOf, startOrdinal } from './set-pod.ts';

type ReadonlySet = DeepReadonly<StatefulSet>;
type ReadonlyPod = DeepReadonly<Pod>;

export interface SetInput {
  readonly set: ReadonlySet;
  readonly pods: readonly ReadonlyPod[];
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly nowMs: number;
}

export type SetStep =
  | { readonly kind: 'create'; readonly ordinal: number; readonly revision: 'current' | 'update' }
  | { readonly kind: 'delete'; readonly pod: ReadonlyPod }
  /** A Pod that has ended is in the way of the next of its name. */
  | { readonly kind: 'replace'; readonly pod: ReadonlyPod }
  | { readonly kind: 'identify'; readonly pod: ReadonlyPod; readonly ordinal: number };

const isTerminating = (pod: ReadonlyPod) => pod.metadata.deletionTimestamp !== undefined;
export const revisionOf = (pod: ReadonlyPod) => pod.metadata.labels?.[revisionHashLabel] ?? '';

function isHealthy(pod: ReadonlyPod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod) && !isTerminating(pod);
}

function isAvailable(pod: ReadonlyPod, { set, nowMs }: SetInput): boolean {
  return isHealthy(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
}

/**
 * The next steps towards the set's Pods, in order. Under OrderedReady there is at most one at a time, each waiting for the
 * Pods before it to be available (going up) or gone (going down); under Parallel all that are possible.
 */
export function planSet(input: SetInput): SetStep[] {
  const { set, pods } = input;
  const start = startOrdinal(set);
  const end = start + (set.spec?.replicas ?? 1);
  const isOrdered = set.spec?.podManagementPolicy !== 'Parallel';
  const byOrdinal = new Map<number, ReadonlyPod>();
  for (const pod of pods) {
    const ordinal = ordinalOf(pod, set);
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod);
  }
  const steps: SetStep[] = [];
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    const step = planReplica(input, ordinal, pod);
    if (step !== undefined) steps.push(step);
    const isSettled = pod !== undefined && !isPodFinished(pod) && isAvailable(pod, input);
    if (isOrdered && !isSettled) return steps;
  }
  const condemned = [...byOrdinal].filter(([ordinal]) => ordinal < start || ordinal >= end).sort(([a], [b]) => b - a);
  const firstUnhealthy = firstUnhealthyPod(byOrdinal, start, end);
  for (const [, pod] of condemned) {
    if (isTerminating(pod)) {
      if (isOrdered) return steps;
      continue;
    }
    if (isOrdered && !isAvailable(pod, input) && pod !== firstUnhealthy) return steps;
    steps.push({ kind: 'delete', pod });
    if (isOrdered) return steps;
  }
  return [...steps, ...planUpdate(input, byOrdinal, start, end)];
}

function planReplica(input: SetInput, ordinal: number, pod: ReadonlyPod | undefined): SetStep | undefined {
  if (pod === undefined) return { kind: 'create', ordinal, revision: isHeldBack(input.set, ordinal) ? 'current' : 'update' };
  if (isTerminating(pod)) return undefined;
  if (isPodFinished(pod)) return { kind: 'replace', pod };
  return hasIdentity(pod) ? undefined : { kind: 'identify', pod, ordinal };
}

/** Whether the partition keeps the ordinal at the revision before. */
function isHeldBack(set: ReadonlySet, ordinal: number): boolean {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type === 'OnDelete') return false;
  const held = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0);
  return ordinal < startOrdinal(set) + held;
}

/**
 * The unhealthy Pod that may be deleted first; all others wait for it. It is the one with the lowest ordinal among those that stay, or else
 * among all.
 */
function firstUnhealthyPod(byOrdinal: ReadonlyMap<number, ReadonlyPod>, start: number, end: number): ReadonlyPod | undefined {
  const inside = [...byOrdinal].filter(([ordinal]) => ordinal >= start && ordinal < end).sort(([a], [b]) => a - b);
  const outside = [...byOrdinal].filter(([ordinal]) => ordinal < start || ordinal >= end).sort(([a], [b]) => a - b);
  return [...inside, ...outside].find(([, pod]) => !isHealthy(pod))?.[1];
}

/** Takes Pods of old templates down, the highest ordinal first, as many at once as may be unavailable. */
function planUpdate(input: SetInput, byOrdinal: ReadonlyMap<number, ReadonlyPod>, start: number, end: number): SetStep[] {
  const { type, rollingUpdate } = input.set.spec?.updateStrategy ?? {};
  if (type === 'OnDelete') return [];
  const maxUnavailable = Math.max(1, resolveIntOrPercent(rollingUpdate?.maxUnavailable ?? 1, end - start, 'up'));
  const lowest = start + (rollingUpdate?.partition ?? 0);
  const steps: SetStep[] = [];
  let unavailable = 0;
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined || !isAvailable(pod, input)) unavailable++;
  }
  for (let ordinal = end - 1; ordinal >= lowest; ordinal--) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined || isTerminating(pod) || revisionOf(pod) === input.updateRevision) continue;
    const counts = isAvailable(pod, input);
    if (counts && unavailable >= maxUnavailable) break;
    steps.push({ kind: 'delete', pod });
    if (counts) unavailable++;
  }
  return steps;
}

/** The status: the counts, and the revisions. When an update has reached every Pod its revision becomes the current one. */
export function setStatus(input: SetInput, collisionCount: number): StatefulSetStatus {
  const { set, pods, updateRevision, nowMs } = input;
  const desired = set.spec?.replicas ?? 1;
  const created = pods.filter((pod) => ordinalOf(pod, set) !== undefined && !isPodFinished(pod));
  const count = (is: (pod: ReadonlyPod) => boolean) => created.filter(is).length;
  const ready = count((pod) => pod.status?.phase === 'Running' && isPodReady(pod));
  const available = count((pod) => pod.status?.phase === 'Running' && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs));
  const updated = count((pod) => !isTerminating(pod) && revisionOf(pod) === updateRevision);
  let current = count((pod) => !isTerminating(pod) && revisionOf(pod) === input.currentRevision);
  let currentRevision = input.currentRevision;
  const isComplete =
    set.spec?.updateStrategy?.type === 'RollingUpdate' && updated === desired && created.length === desired && ready === desired;
  if (isComplete) {
    current = updated;
    currentRevision = updateRevision;
  }
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: created.length,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(current > 0 ? { currentReplicas: current } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    currentRevision,
    updateRevision,
    collisionCount,
    ...(set.status?.conditions === undefined
      ? {}
      : { conditions: [...set.status.conditions] as NonNullable<StatefulSetStatus['conditions']> }),
    availableReplicas: available,
  };
}
