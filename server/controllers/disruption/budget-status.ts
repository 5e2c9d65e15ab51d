import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { resolveIntOrPercent } from '../../../api/semantics/workloads/int-or-percent.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { Condition } from '../../../api/types/meta-v1.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../../api/types/policy-v1.ts';

/** How long an evicted Pod may take to be deleted before its eviction is held to have failed. */
const deletionTimeoutMs = 120_000;

type Budget = DeepReadonly<PodDisruptionBudget>;
type Pods = readonly DeepReadonly<Pod>[];

interface ExpectedPods {
  readonly expected: number;
  readonly desiredHealthy: number;
}

/** Whether the sizes of the Pods' controllers have to be known. */
export function needsScale({ spec }: Budget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';
}

/** The expected number of Pods, and how many of them must be healthy. `scale` is the sum of the replicas of the Pods' controllers. */
export function expectedPods({ spec }: Budget, pods: Pods, scale: number): ExpectedPods {
  if (spec?.maxUnavailable !== undefined) {
    const down = resolveIntOrPercent(spec.maxUnavailable, scale, 'up');
    return { expected: scale, desiredHealthy: Math.max(0, scale - down) };
  }
  if (typeof spec?.minAvailable === 'string') {
    return { expected: scale, desiredHealthy: resolveIntOrPercent(spec.minAvailable, scale, 'up') };
  }
  return { expected: pods.length, desiredHealthy: spec?.minAvailable ?? 0 };
}

interface DisruptedPods {
  readonly kept: Record<string, string>;
  /** Pods that were to be deleted and were not. */
  readonly overdue: Pods;
  readonly recheckMs: number | undefined;
}

/** Evictions under way: those whose Pods are still there, and have not begun to go. */
export function disruptedPods({ status }: Budget, pods: Pods, nowMs: number): DisruptedPods {
  const kept: Record<string, string> = {};
  const overdue: DeepReadonly<Pod>[] = [];
  let recheckMs: number | undefined;
  for (const pod of pods) {
    const name = pod.metadata.name ?? '';
    const since = status?.disruptedPods?.[name];
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const untilMs = (findTime(since) ?? nowMs) + deletionTimeoutMs;
    if (untilMs < nowMs) {
      overdue.push(pod);
      continue;
    }
    kept[name] = since;
    recheckMs = Math.min(recheckMs ?? untilMs, untilMs);
  }
  return { kept, overdue, recheckMs };
}

/** The status: how many more Pods may be taken down at will. */
export function budgetStatus(
  budget: Budget,
  pods: Pods,
  { expected, desiredHealthy }: ExpectedPods,
  disrupted: Record<string, string>,
  now: string,
): PodDisruptionBudgetStatus {
  const isHealthy = (pod: DeepReadonly<Pod>) =>
    pod.metadata.deletionTimestamp === undefined && disrupted[pod.metadata.name ?? ''] === undefined && isPodReady(pod);
  const currentHealthy = pods.filter(isHealthy).length;
  // A budget that matches nothing allows nothing, so that it is safe while its Pods are still to come.
  const allowed = expected > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  return {
    observedGeneration: budget.metadata.generation ?? 0,
    ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
    disruptionsAllowed: allowed,
    currentHealthy,
    desiredHealthy,
    expectedPods: expected,
    conditions: conditionsOf(budget, allowed > 0 ? 'True' : 'False', allowed > 0 ? 'SufficientPods' : 'InsufficientPods', '', now),
  };
}

/** The status of a budget that cannot be calculated, which allows no disruption. */
export function failedStatus(budget: Budget, message: string, now: string): PodDisruptionBudgetStatus {
  const present = budget.status as PodDisruptionBudgetStatus | undefined;
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...present,
    observedGeneration: budget.metadata.generation ?? 0,
    disruptionsAllowed: 0,
    conditions: conditionsOf(budget, 'False', 'SyncFailed', message, now),
  };
}

function conditionsOf(budget: Budget, status: 'True' | 'False', reason: string, message: string, now: string): Condition[] {
  const present = (budget.status?.conditions ?? []) as readonly Condition[];
  const old = present.find(({ type }) => type === 'DisruptionAllowed');
  const observedGeneration = budget.metadata.generation ?? 0;
  const isSame =
    old?.status === status && old.reason === reason && old.observedGeneration === observedGeneration && old.message === message;
  if (isSame) return [...present];
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
  const condition: Condition = { type: 'DisruptionAllowed', status, observedGeneration, lastTransitionTime, reason, message };
  return [...present.filter(({ type }) => type !== 'DisruptionAllowed'), condition];
}
