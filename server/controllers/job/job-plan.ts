import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { isPodActive } from '../../../api/semantics/pods/pod-phase.ts';
import type { Job, JobCondition } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { parseIndexes } from './indexes.ts';
import type { JobAccount } from './job-account.ts';
import { indexOf, isIndexed, isTerminatingUnfinished, replacesOnlyFailed, totalRestarts } from './job-pods.ts';

type ReadonlyJob = DeepReadonly<Job>;
type ReadonlyPod = DeepReadonly<Pod>;

/** How the Job ends. */
export interface Ending {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(job: ReadonlyJob, type: string): DeepReadonly<JobCondition> | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

export function isFinished(job: ReadonlyJob): boolean {
  return conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined;
}

/** Whether and how the Job is to end, as far as its Pods have come. Once decided it stays. */
export function planEnding(job: ReadonlyJob, account: JobAccount, pods: readonly ReadonlyPod[], nowMs: number): Ending | undefined {
  const failing = conditionOf(job, 'FailureTarget');
  if (failing !== undefined) return { type: 'Failed', reason: failing.reason ?? '', message: failing.message ?? '' };
  const succeeding = conditionOf(job, 'SuccessCriteriaMet');
  if (succeeding !== undefined) return { type: 'Complete', reason: succeeding.reason ?? '', message: succeeding.message ?? '' };
  return planFailure(job, account, pods, nowMs) ?? planSuccess(job, account, pods);
}

function planFailure(job: ReadonlyJob, account: JobAccount, pods: readonly ReadonlyPod[], nowMs: number): Ending | undefined {
  const { spec } = job;
  const failed = (reason: string, message: string): Ending => ({ type: 'Failed', reason, message });
  if (account.failJobMessage !== undefined) return failed('PodFailurePolicy', account.failJobMessage);
  const backoffLimit = spec?.backoffLimit ?? 6;
  if (account.totalFailed > backoffLimit || haveRestartedTooOften(job, pods, backoffLimit)) {
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (secondsUntilDeadline(job, nowMs) === 0) return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  if (!isIndexed(job) || spec?.backoffLimitPerIndex === undefined) return undefined;
  if (spec.maxFailedIndexes !== undefined && account.failedIndexes.size > spec.maxFailedIndexes) {
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  const settled = account.failedIndexes.size + account.completedIndexes.size;
  if (account.failedIndexes.size > 0 && settled >= (spec.completions ?? 0)) return failed('FailedIndexes', 'Job has failed indexes');
  return undefined;
}

/** Containers that restart in place do not make new Pods, but count against the limit all the same. */
function haveRestartedTooOften(job: ReadonlyJob, pods: readonly ReadonlyPod[], backoffLimit: number): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = totalRestarts(pods);
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** 0 when it has passed; undefined where there is none. */
export function secondsUntilDeadline(job: ReadonlyJob, nowMs: number): number | undefined {
  const startMs = findTime(job.status?.startTime);
  const seconds = job.spec?.activeDeadlineSeconds;
  if (seconds === undefined || startMs === undefined || job.spec?.suspend) return undefined;
  return Math.max(0, seconds - (nowMs - startMs) / 1000);
}

function planSuccess(job: ReadonlyJob, account: JobAccount, pods: readonly ReadonlyPod[]): Ending | undefined {
  const { completions, successPolicy } = job.spec ?? {};
  for (const [index, { succeededCount, succeededIndexes }] of (successPolicy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions ?? 0);
    const reached = wanted === undefined ? account.completedIndexes.size : wanted.intersection(account.completedIndexes).size;
    if (reached >= (succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY)) {
      return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${index}` };
    }
  }
  const reached: Ending = { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
  if (completions !== undefined) return account.totalSucceeded >= completions ? reached : undefined;
  // For a Job without completions (a work queue) one success means that the queue is empty; the other Pods finish by themselves.
  return account.totalSucceeded > 0 && !pods.some(isPodActive) ? reached : undefined;
}

interface JobAction {
  readonly delete: readonly ReadonlyPod[];
  readonly create: number;
}

/** How many Pods to start or to stop while the Job runs. */
export function planAction(job: ReadonlyJob, account: JobAccount, pods: readonly ReadonlyPod[]): JobAction {
  const active = pods.filter(isPodActive);
  if (job.spec?.suspend) return { delete: active, create: 0 };
  const parallelism = job.spec?.parallelism ?? 1;
  const completions = job.spec?.completions;
  let wanted = parallelism;
  if (completions === undefined) wanted = account.totalSucceeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  else wanted = Math.max(0, Math.min(parallelism, completions - account.totalSucceeded - account.failedIndexes.size));
  const surplus = podsToStop(job, account, active, Math.max(0, active.length - wanted));
  if (surplus.length > 0) return { delete: surplus, create: 0 };
  const terminating = replacesOnlyFailed(job) ? pods.filter(isTerminatingUnfinished).length : 0;
  return { delete: [], create: Math.max(0, wanted - terminating - active.length) };
}

/** Duplicates of an index and Pods of indexes that are settled go in any case. */
function podsToStop(job: ReadonlyJob, account: JobAccount, active: readonly ReadonlyPod[], atLeast: number): ReadonlyPod[] {
  const ordered = [...active].sort((a, b) => worth(a) - worth(b));
  if (!isIndexed(job)) return ordered.slice(0, atLeast);
  const stop = new Set<ReadonlyPod>();
  const taken = new Set<number>();
  for (const pod of ordered.toReversed()) {
    const index = indexOf(pod, job);
    const isNeeded = index !== undefined && !taken.has(index) && !account.completedIndexes.has(index) && !account.failedIndexes.has(index);
    if (isNeeded) taken.add(index);
    else stop.add(pod);
  }
  for (const pod of ordered) if (stop.size < atLeast) stop.add(pod);
  return [...stop];
}

/** Pods that have come less far go first. */
function worth({ spec, status }: ReadonlyPod): number {
  const isReady = status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True');
  return (spec?.nodeName ? 1 : 0) + (status?.phase === 'Running' ? 2 : 0) + (isReady ? 4 : 0);
}

/** The lowest indexes that are neither settled nor being worked on. */
export function pendingIndexes(job: ReadonlyJob, account: JobAccount, pods: readonly ReadonlyPod[], count: number): number[] {
  const busy = new Set<number>();
  for (const pod of pods) {
    const holds = isPodActive(pod) || (replacesOnlyFailed(job) && isTerminatingUnfinished(pod));
    const index = holds ? indexOf(pod, job) : undefined;
    if (index !== undefined) busy.add(index);
  }
  const pending: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && pending.length < count; index++) {
    if (!busy.has(index) && !account.completedIndexes.has(index) && !account.failedIndexes.has(index)) pending.push(index);
  }
  return pending;
}
