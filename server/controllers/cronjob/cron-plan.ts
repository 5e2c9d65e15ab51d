import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isControlledBy } from '../../../api/meta/owner-references.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { CronSchedule } from '../../../api/semantics/workloads/cron-schedule.ts';
import type { CronJob, Job, JobCondition } from '../../../api/types/batch-v1.ts';
import { missedTimes, nextTimeMs, type TimeZone } from './schedule-times.ts';

/** Complete or Failed, if the Job has ended. */
export function endOf(job: DeepReadonly<Job>): JobCondition['type'] | undefined {
  return job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')?.type;
}

type CronDecision =
  | { readonly kind: 'wait' }
  /** Its time has passed, and so has the time to start it late. */
  | { readonly kind: 'too-late'; readonly scheduledMs: number }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'run'; readonly scheduledMs: number; readonly replaces: boolean };

interface CronPlan {
  readonly decision: CronDecision;
  /** Whether so many schedules were missed that a clock that jumped is the likely cause. */
  readonly missedTooMany: boolean;
  readonly nextSeconds: number | undefined;
}

/** Whether the CronJob is to start a Job now, and when to look again. `activeCount`: of its Jobs that have not ended. */
export function planCron(
  cronJob: DeepReadonly<CronJob>,
  schedule: CronSchedule,
  zone: TimeZone,
  activeCount: number,
  nowMs: number,
): CronPlan {
  const { spec, status, metadata } = cronJob;
  const deadline = spec?.startingDeadlineSeconds;
  const createdMs = findTime(metadata.creationTimestamp) ?? nowMs;
  const lastMs = findTime(status?.lastScheduleTime) ?? createdMs;
  const sinceMs = deadline === undefined ? lastMs : Math.max(lastMs, nowMs - deadline * 1000 - 1000);
  const missed = missedTimes(schedule, zone, sinceMs, nowMs);
  const nextMs = nextTimeMs(schedule, zone, nowMs);
  const plan = {
    missedTooMany: missed.count > 100,
    nextSeconds: nextMs === undefined ? undefined : Math.max(0, (nextMs - nowMs) / 1000) + 0.1,
  };
  const scheduledMs = missed.lastMs;
  if (scheduledMs === undefined) return { ...plan, decision: { kind: 'wait' } };
  if (deadline !== undefined && scheduledMs + deadline * 1000 < nowMs) return { ...plan, decision: { kind: 'too-late', scheduledMs } };
  if (spec?.concurrencyPolicy === 'Forbid' && activeCount > 0) return { ...plan, decision: { kind: 'forbidden' } };
  return { ...plan, decision: { kind: 'run', scheduledMs, replaces: spec?.concurrencyPolicy === 'Replace' } };
}

/** Ended Jobs beyond the history limits, oldest first. */
export function jobsToForget(cronJob: DeepReadonly<CronJob>, jobs: readonly DeepReadonly<Job>[]): DeepReadonly<Job>[] {
  const byStart = (a: DeepReadonly<Job>, b: DeepReadonly<Job>) =>
    (findTime(a.status?.startTime) ?? 0) - (findTime(b.status?.startTime) ?? 0) ||
    ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
  const beyond = (end: JobCondition['type'], limit: number | undefined) => {
    if (limit === undefined) return [];
    const ended = jobs.filter((job) => isControlledBy(job, cronJob) && endOf(job) === end).sort(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...beyond('Complete', cronJob.spec?.successfulJobsHistoryLimit), ...beyond('Failed', cronJob.spec?.failedJobsHistoryLimit)];
}
