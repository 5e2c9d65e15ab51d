import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { findTime } from '../../../../api/meta/time.ts';
import { findPodCondition, isPodAvailable, isPodReady } from '../../../../api/semantics/pods/pod-conditions.ts';
import type { Pod } from '../../../../api/types/core-v1.ts';

/** The common part of the statuses of ReplicaSets and ReplicationControllers. */
export interface ReplicaStatus {
  replicas: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  terminatingReplicas?: number;
  observedGeneration?: number;
  conditions?: ReplicaCondition[];
}

interface ReplicaCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
}

interface ReplicaStatusInput {
  readonly present: DeepReadonly<ReplicaStatus> | undefined;
  readonly generation: number;
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly active: readonly DeepReadonly<Pod>[];
  /** Pods on their way out; undefined where the kind does not say. */
  readonly terminating: number | undefined;
  readonly minReadySeconds: number;
  readonly nowMs: number;
  /** Why Pods could not be created or deleted in this round. */
  readonly failure?: { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly message: string; readonly now: string };
}

/** The status as the Pods in the cache have it. Counts of 0 are left out, as they are on the wire. */
export function replicaStatus(input: ReplicaStatusInput): ReplicaStatus {
  const { active, templateLabels, minReadySeconds, nowMs } = input;
  const wanted = Object.entries(templateLabels);
  const hasLabels = (pod: DeepReadonly<Pod>) => wanted.every(([key, value]) => pod.metadata.labels?.[key] === value);
  const counts = {
    fullyLabeledReplicas: active.filter(hasLabels).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
  };
  const conditions = conditionsOf(input);
  return {
    replicas: active.length,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...(input.terminating === undefined ? {} : { terminatingReplicas: input.terminating }),
    observedGeneration: input.generation,
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

function conditionsOf({ present, failure }: ReplicaStatusInput): ReplicaCondition[] {
  const others = (present?.conditions ?? []).filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  const { reason, message, now } = failure;
  const old = present?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
  // The message of the first failure stays until the failure is over.
  if (old?.reason === reason) return [...others, old];
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: now, reason, message }];
}

/** Seconds until the next ready Pod will have been ready for long enough; undefined if none is on its way. */
export function secondsUntilAvailable(active: readonly DeepReadonly<Pod>[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  let least: number | undefined;
  for (const pod of active) {
    if (!isPodReady(pod) || isPodAvailable(pod, minReadySeconds, nowMs)) continue;
    const sinceMs = findTime(findPodCondition(pod, 'Ready')?.lastTransitionTime) ?? nowMs;
    const seconds = Math.max((sinceMs - nowMs) / 1000 + minReadySeconds, 0.1);
    least = Math.min(least ?? seconds, seconds);
  }
  return least;
}
