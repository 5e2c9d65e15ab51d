import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Job, JobCondition, JobStatus } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { formatIndexes } from './indexes.ts';
import type { JobAccount } from './job-account.ts';
import { isIndexed, isTerminatingUnfinished } from './job-pods.ts';
import { conditionOf, type Ending } from './job-plan.ts';

interface JobStatusInput {
  readonly job: DeepReadonly<Job>;
  readonly account: JobAccount;
  readonly ending: Ending | undefined;
  /** The active Pods after the creations and deletions of this reconciliation. */
  readonly active: readonly DeepReadonly<Pod>[];
  readonly createdCount: number;
  readonly all: readonly DeepReadonly<Pod>[];
  readonly deletedCount: number;
  readonly now: string;
}

interface JobStatusOutcome {
  readonly status: JobStatus;
  /** The events to record once the status is written. */
  readonly news: readonly { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }[];
}

/** The status after this reconciliation. A Job's end is reported in two steps: that it is decided, and that no Pod is left (KEP-3998). */
export function planStatus(input: JobStatusInput): JobStatusOutcome {
  const { job, account, ending, active, now } = input;
  const status: JobStatus = mutableCopy<JobStatus>(job.status ?? {});
  const news: { type: 'Normal' | 'Warning'; reason: string; message: string }[] = [];
  const terminating = input.all.filter(isTerminatingUnfinished).length + input.deletedCount;
  setOrDelete(status, 'active', active.length + input.createdCount);
  setOrDelete(status, 'succeeded', account.succeeded);
  setOrDelete(status, 'failed', account.failed);
  status.ready = active.filter(isPodReady).length;
  status.terminating = terminating;
  status.uncountedTerminatedPods = {
    ...(account.uncounted.failed.length > 0 ? { failed: [...account.uncounted.failed] } : {}),
    ...(account.uncounted.succeeded.length > 0 ? { succeeded: [...account.uncounted.succeeded] } : {}),
  };
  if (isIndexed(job)) {
    if (account.completedIndexes.size > 0) status.completedIndexes = formatIndexes(account.completedIndexes);
    if (job.spec?.backoffLimitPerIndex !== undefined) status.failedIndexes = formatIndexes(account.failedIndexes);
  }
  const set = (type: JobCondition['type'], isTrue: boolean, reason: string, message: string) => {
    const condition: JobCondition = {
      type,
      status: isTrue ? 'True' : 'False',
      reason,
      message,
      lastProbeTime: now,
      lastTransitionTime: now,
    };
    status.conditions = [...(status.conditions ?? []).filter((present) => present.type !== type), condition];
  };
  if (ending === undefined) {
    const wasSuspended = conditionOf(job, 'Suspended') !== undefined;
    const isSuspended = job.spec?.suspend === true;
    if (isSuspended && !wasSuspended) {
      set('Suspended', true, 'JobSuspended', 'Job suspended');
      delete status.startTime;
      news.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' });
    } else if (!isSuspended && wasSuspended) {
      set('Suspended', false, 'JobResumed', 'Job resumed');
      status.startTime = now;
      news.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' });
    }
    return { status, news };
  }
  const { type, reason, message } = ending;
  const decision = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  if (conditionOf(job, decision) === undefined) set(decision, true, reason, message);
  const isSettled = active.length === 0 && terminating === 0 && account.toRelease.length === 0 && account.totalFailed === account.failed;
  if (isSettled) {
    set(type, true, reason, message);
    if (type === 'Complete') {
      status.completionTime = now;
      news.push({ type: 'Normal', reason: 'Completed', message: 'Job completed' });
    } else news.push({ type: 'Warning', reason, message });
  }
  return { status, news };
}

function setOrDelete(status: JobStatus, field: 'active' | 'succeeded' | 'failed', count: number): void {
  if (count > 0) status[field] = count;
  else delete status[field];
}
