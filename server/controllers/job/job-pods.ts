import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { findPodCondition } from '../../../api/semantics/pods/pod-conditions.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { Job } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
export const indexKey = 'batch.kubernetes.io/job-completion-index';
export const indexFailureCountKey = 'batch.kubernetes.io/job-index-failure-count';

type ReadonlyPod = DeepReadonly<Pod>;
type ReadonlyJob = DeepReadonly<Job>;

/** Whether the Pod has not been accounted for yet. */
export function isTracked(pod: ReadonlyPod): boolean {
  return pod.metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

export function isIndexed(job: ReadonlyJob): boolean {
  return job.spec?.completionMode === 'Indexed';
}

/** Whether a Pod that is being deleted still counts as running (KEP-3939). */
export function replacesOnlyFailed(job: ReadonlyJob): boolean {
  return job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined;
}

/** A deleted Pod may never reach the phase Failed; it counts as failed from its deletion, where the Job does not say otherwise. */
export function isFailed(pod: ReadonlyPod, job: ReadonlyJob): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

export function isTerminatingUnfinished(pod: ReadonlyPod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !isPodFinished(pod);
}

/** The Pod's completion index, if it has a valid one below the Job's completions. */
export function indexOf(pod: ReadonlyPod, job: ReadonlyJob): number | undefined {
  const text = pod.metadata.annotations?.[indexKey] ?? '';
  const index = /^\d+$/.test(text) ? Number(text) : undefined;
  return index !== undefined && index < (job.spec?.completions ?? 0) ? index : undefined;
}

/** When the last of the Pod's containers ended, as far as is known. */
export function finishedAtMs(pod: ReadonlyPod, nowMs: number): number {
  const ends = (pod.status?.containerStatuses ?? []).map((status) => findTime(status.state?.terminated?.finishedAt));
  const known = ends.filter((end) => end !== undefined);
  if (known.length > 0 && known.length === ends.length) return Math.max(...known);
  return findTime(findPodCondition(pod, 'Ready')?.lastTransitionTime) ?? findTime(pod.metadata.deletionTimestamp) ?? nowMs;
}

/** Restarts of the containers of Pods that are still running. */
export function totalRestarts(pods: readonly ReadonlyPod[]): number {
  let total = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) total += container.restartCount;
  }
  return total;
}

/** How many times an index has failed before, by the annotations of its Pods. */
export function failuresOfIndex(
  pods: readonly ReadonlyPod[],
  job: ReadonlyJob,
  index: number,
  ignored: (pod: ReadonlyPod) => boolean,
): number {
  let failures = 0;
  for (const pod of pods) {
    if (indexOf(pod, job) !== index) continue;
    const before = Number(pod.metadata.annotations?.[indexFailureCountKey] ?? 0);
    failures = Math.max(failures, before + (isFailed(pod, job) && !ignored(pod) ? 1 : 0));
  }
  return failures;
}
