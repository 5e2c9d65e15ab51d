import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { findCondition, isConditionTrue } from '../../meta/conditions.ts';
import { findTime } from '../../meta/time.ts';
import type { Pod, PodCondition } from '../../types/core-v1.ts';

export function findPodCondition(pod: DeepReadonly<Pod>, type: string): DeepReadonly<PodCondition> | undefined {
  return findCondition(pod.status?.conditions, type);
}

/** Whether the Pod's Ready condition is True: it takes part in Services. */
export function isPodReady(pod: DeepReadonly<Pod>): boolean {
  return isConditionTrue(pod.status?.conditions, 'Ready');
}

/** Whether the Pod has been ready for `minReadySeconds` at `nowMs`. */
export function isPodAvailable(pod: DeepReadonly<Pod>, minReadySeconds: number, nowMs: number): boolean {
  const ready = findPodCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const sinceMs = findTime(ready.lastTransitionTime);
  return sinceMs !== undefined && sinceMs + minReadySeconds * 1000 <= nowMs;
}
