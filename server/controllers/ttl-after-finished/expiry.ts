import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { Job } from '../../../api/types/batch-v1.ts';

/** Seconds until a finished Job's time is up, 0 or less if it is; undefined where none is running. */
export function secondsUntilExpiry(job: DeepReadonly<Job>, nowMs: number): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  const finished = job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
  const finishedMs = findTime(finished?.lastTransitionTime);
  return finishedMs === undefined ? undefined : (finishedMs - nowMs) / 1000 + ttl;
}
