import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Job } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { matchFailurePolicy } from './failure-policy.ts';
import { parseIndexes } from './indexes.ts';
import { failuresOfIndex, indexOf, isFailed, isIndexed, isTracked } from './job-pods.ts';

/** The counts of a Job's Pods so far. */
export interface JobAccount {
  /** Pods that are recorded in the status and no longer needed for the count. */
  readonly succeeded: number;
  readonly failed: number;
  /** Uids written down in the status before their Pods are let go, so that no Pod is counted twice or never. */
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** The Pods that have succeeded, those in `uncounted` included; totalFailed likewise. */
  readonly totalSucceeded: number;
  readonly totalFailed: number;
  /** The completed indexes of an Indexed Job. */
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Pods that have finished since the last record, with their result. */
  readonly fresh: readonly { readonly pod: DeepReadonly<Pod>; readonly isFailure: boolean }[];
  /** Finished Pods to let go once the status is written. */
  readonly toRelease: readonly DeepReadonly<Pod>[];
  /** Why the failure policy ends the Job. */
  readonly failJobMessage: string | undefined;
}

/** The most Pods that are written down at once. */
const maxUncounted = 500;

/** Counts a Job's Pods: recorded Pods without finalizer are counted, newly finished Pods are recorded. */
export function accountFor(job: DeepReadonly<Job>, pods: readonly DeepReadonly<Pod>[]): JobAccount {
  const { status, spec } = job;
  const indexed = isIndexed(job);
  const completions = spec?.completions ?? 0;
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid ?? '', pod]));
  const before = status?.uncountedTerminatedPods ?? {};
  const pending = {
    succeeded: (before.succeeded ?? []).filter((uid) => tracked.has(uid)),
    failed: (before.failed ?? []).filter((uid) => tracked.has(uid)),
  };
  const counted = {
    succeeded: (status?.succeeded ?? 0) + (before.succeeded ?? []).length - pending.succeeded.length,
    failed: (status?.failed ?? 0) + (before.failed ?? []).length - pending.failed.length,
  };
  const completedIndexes = indexed ? parseIndexes(status?.completedIndexes, completions) : new Set<number>();
  const failedIndexes = indexed ? parseIndexes(status?.failedIndexes, completions) : new Set<number>();
  const known = new Set([...pending.succeeded, ...pending.failed]);
  const toRelease = [...known].flatMap((uid) => tracked.get(uid) ?? []);
  const fresh: { pod: DeepReadonly<Pod>; isFailure: boolean }[] = [];
  const isIgnored = (pod: DeepReadonly<Pod>) => matchFailurePolicy(spec?.podFailurePolicy, pod)?.action === 'Ignore';
  let failJobMessage: string | undefined;

  for (const [uid, pod] of tracked) {
    if (known.has(uid)) continue;
    if (pending.succeeded.length + pending.failed.length >= maxUncounted) break;
    const index = indexed ? indexOf(pod, job) : undefined;
    if (pod.status?.phase === 'Succeeded') {
      toRelease.push(pod);
      fresh.push({ pod, isFailure: false });
      if (!indexed) pending.succeeded.push(uid);
      else if (index !== undefined) completedIndexes.add(index);
    } else if (isFailed(pod, job)) {
      toRelease.push(pod);
      const match = pod.status?.phase === 'Failed' ? matchFailurePolicy(spec?.podFailurePolicy, pod) : undefined;
      if (match?.action === 'FailJob') failJobMessage ??= match.message;
      if (match?.action === 'FailIndex' && index !== undefined) failedIndexes.add(index);
      if (match?.action === 'Ignore' || (indexed && index === undefined)) continue;
      fresh.push({ pod, isFailure: true });
      pending.failed.push(uid);
      if (spec?.backoffLimitPerIndex === undefined || index === undefined) continue;
      if (failuresOfIndex(pods, job, index, isIgnored) > spec.backoffLimitPerIndex) failedIndexes.add(index);
    }
  }
  for (const index of completedIndexes) failedIndexes.delete(index);
  return {
    succeeded: indexed ? completedIndexes.size : counted.succeeded,
    failed: counted.failed,
    uncounted: pending,
    totalSucceeded: indexed ? completedIndexes.size : counted.succeeded + pending.succeeded.length,
    totalFailed: counted.failed + pending.failed.length,
    completedIndexes,
    failedIndexes,
    fresh,
    toRelease,
    failJobMessage,
  };
}
