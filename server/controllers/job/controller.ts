import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatKey, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { findController } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodActive } from '../../../api/semantics/pods/pod-phase.ts';
import type { Job } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { claimDependents } from '../runtime/claim-dependents.ts';
import {
  type ControllerSetup,
  defineController,
  done,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { dependentsAndOrphans, indexByController } from '../runtime/dependents.ts';
import { Expectations } from '../runtime/expectations.ts';
import { followPods } from '../runtime/follow-pods.ts';
import { createPod, deletePod, isNamespaceTerminating } from '../runtime/pod-control.ts';
import { slowStart } from '../runtime/slow-start.ts';
import { backoffMs, FailureBackoff } from './failure-backoff.ts';
import { matchFailurePolicy } from './failure-policy.ts';
import { accountFor, type JobAccount } from './job-account.ts';
import { failuresOfIndex, finishedAtMs, indexOf, isFailed, isIndexed, isTracked, trackingFinalizer } from './job-pods.ts';
import { isFinished, pendingIndexes, planAction, planEnding, secondsUntilDeadline } from './job-plan.ts';
import { planStatus } from './job-status.ts';
import { podOfJob } from './pod-of-job.ts';
import { rules } from './rbac.ts';

const byJob = 'job';
const burst = 500;

interface Parts {
  readonly setup: ControllerSetup;
  readonly expectations: Expectations;
  readonly backoff: FailureBackoff;
}

/** Runs a Job's Pods until enough of them have succeeded, and counts every one of them exactly once. */
export const jobController = defineController({
  name: 'job-controller',
  account: 'job-controller',
  for: jobs,
  watches: [
    // Pods that are held by the finalizer of a Job that is gone.
    watching(pods, (pod, { lister }) => {
      const key = isTracked(pod) ? jobKey(pod) : undefined;
      return key !== undefined && lister(jobs).find(key)?.metadata.uid !== findController(pod)?.uid ? [key] : [];
    }),
  ],
  rules,
  setUp(setup) {
    const expectations = new Expectations(setup.clock);
    const podInformer = setup.informer(pods);
    indexByController(podInformer);
    podInformer.addIndex(byJob, (pod) => {
      const key = jobKey(pod);
      return key === undefined ? [] : [formatKey(key)];
    });
    followPods(setup, { resource: jobs, expectations, selectorOf: (job) => job.spec?.selector });
    const parts: Parts = { setup, expectations, backoff: new FailureBackoff() };
    return (key) => reconcile(parts, key);
  },
});

function jobKey(pod: DeepReadonly<Pod>): ObjectKey | undefined {
  const reference = findController(pod);
  if (reference?.kind !== 'Job' || !reference.apiVersion.startsWith('batch/')) return undefined;
  return { namespace: pod.metadata.namespace ?? '', name: reference.name };
}

async function reconcile(parts: Parts, key: ObjectKey): Promise<ReconcileResult> {
  const { setup, expectations, backoff } = parts;
  const cached = setup.lister(jobs).find(key);
  await releaseStrangers(parts, key, cached);
  if (cached === undefined) {
    expectations.forget(formatKey(key));
    return done;
  }
  if (cached.spec?.managedBy !== undefined && cached.spec.managedBy !== 'kubernetes.io/job-controller') return done;
  const mayAct = expectations.isSatisfied(formatKey(key)) && cached.metadata.deletionTimestamp === undefined;
  const all = await claimDependents<Job, Pod>({
    client: setup.client,
    owner: cached,
    ownerResource: jobs,
    selector: cached.spec?.selector,
    resource: pods,
    objects: dependentsAndOrphans(setup.informer(pods), cached),
    finalizer: trackingFinalizer,
  });
  if (isFinished(cached)) {
    backoff.forget(cached.metadata.uid ?? '');
    await release(parts, all.filter(isTracked));
    return done;
  }
  return await advance(parts, started(cached, setup.clock.nowMs()), cached, all, mayAct);
}

function started(job: DeepReadonly<Job>, nowMs: number): DeepReadonly<Job> {
  if (job.status?.startTime !== undefined || job.spec?.suspend) return job;
  return { ...job, status: { ...job.status, startTime: formatTime(nowMs) } };
}

async function advance(
  parts: Parts,
  job: DeepReadonly<Job>,
  cached: DeepReadonly<Job>,
  all: readonly DeepReadonly<Pod>[],
  mayAct: boolean,
): Promise<ReconcileResult> {
  const { setup, backoff } = parts;
  const nowMs = setup.clock.nowMs();
  const uid = job.metadata.uid ?? '';
  const account = accountFor(job, all);
  backoff.observe(uid, account.fresh, nowMs);
  const ending = planEnding(job, account, all, nowMs);
  let active = all.filter(isPodActive);
  let createdCount = 0;
  let deletedCount = 0;
  let waitMs: number | undefined;
  let failure: unknown;

  const action = ending !== undefined ? { delete: active, create: 0 } : planAction(job, account, all);
  if (mayAct && action.delete.length > 0) {
    // A Pod that is stopped because it is not needed any more must not count as failed; at a Job's end it may.
    const outcome = await stop(parts, job, action.delete.slice(0, burst), ending === undefined);
    active = active.filter((pod) => !outcome.deleted.has(pod));
    deletedCount = outcome.deleted.size;
    failure = outcome.error;
  } else if (mayAct && action.create > 0) {
    const outcome = await start(parts, job, account, all, Math.min(action.create, burst), nowMs);
    createdCount = outcome.created;
    waitMs = outcome.waitMs;
    failure = outcome.error;
  }
  const { status, news } = planStatus({ job, account, ending, active, createdCount, all, deletedCount, now: formatTime(nowMs) });
  if (!isSemanticallyEqual(status, cached.status)) await setup.client(jobs).updateStatus({ ...mutableCopy<Job>(job), status });
  for (const { type, reason, message } of news) setup.events.event(referenceTo(jobs, job), type, reason, message);
  await release(parts, account.toRelease);
  if (failure !== undefined) throw failure;

  const deadline = secondsUntilDeadline(job, nowMs);
  const waits = [waitMs === undefined ? undefined : waitMs / 1000, deadline].filter((wait) => wait !== undefined);
  return waits.length > 0 && ending === undefined ? requeueAfterSeconds(Math.max(0.01, Math.min(...waits))) : done;
}

async function stop(
  { setup, expectations }: Parts,
  job: DeepReadonly<Job>,
  victims: readonly DeepReadonly<Pod>[],
  releasesFirst: boolean,
): Promise<{ readonly deleted: ReadonlySet<DeepReadonly<Pod>>; readonly error?: unknown }> {
  const id = formatKey(keyOf(job));
  const deleted = new Set<DeepReadonly<Pod>>();
  expectations.expectDeletions(
    id,
    victims.map((pod) => pod.metadata.uid ?? ''),
  );
  const results = await Promise.allSettled(
    victims.map(async (pod) => {
      try {
        if (releasesFirst && isTracked(pod)) await removeFinalizer(setup, pod);
        await deletePod(setup, pod, job, jobs);
        deleted.add(pod);
      } catch (error) {
        expectations.deletionObserved(id, pod.metadata.uid ?? '');
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  return failed === undefined ? { deleted } : { deleted, error: failed.reason };
}

async function start(
  parts: Parts,
  job: DeepReadonly<Job>,
  account: JobAccount,
  all: readonly DeepReadonly<Pod>[],
  count: number,
  nowMs: number,
): Promise<{ readonly created: number; readonly waitMs?: number; readonly error?: unknown }> {
  const { setup, expectations, backoff } = parts;
  const perIndex = isIndexed(job) && job.spec?.backoffLimitPerIndex !== undefined;
  const waitMs = perIndex ? 0 : backoff.remainingMs(job.metadata.uid ?? '', nowMs);
  if (waitMs > 0) return { created: 0, waitMs };
  const planned = isIndexed(job) ? indexesToStart(job, account, all, count, nowMs) : undefined;
  const total = planned?.now.length ?? count;
  const later = planned?.waitMs === undefined ? {} : { waitMs: planned.waitMs };
  if (total === 0) return { created: 0, ...later };
  const id = formatKey(keyOf(job));
  expectations.expectCreations(id, total);
  const { succeeded, error } = await slowStart(total, async (position) => {
    try {
      await createPod(setup, podOfJob(job, planned?.now[position]), job, jobs);
    } catch (problem) {
      if (!isNamespaceTerminating(problem)) throw problem;
      expectations.creationObserved(id);
    }
  });
  for (let skipped = total - succeeded; skipped > 0; skipped--) expectations.creationObserved(id);
  return { created: succeeded, ...later, ...(error === undefined ? {} : { error }) };
}

/** Indexes whose Pods may be started, and how long the first of the others has to wait. */
function indexesToStart(job: DeepReadonly<Job>, account: JobAccount, all: readonly DeepReadonly<Pod>[], count: number, nowMs: number) {
  const now: { index: number; failures: number }[] = [];
  let waitMs: number | undefined;
  const isIgnored = (pod: DeepReadonly<Pod>) => matchFailurePolicy(job.spec?.podFailurePolicy, pod)?.action === 'Ignore';
  const perIndex = job.spec?.backoffLimitPerIndex !== undefined;
  for (const index of pendingIndexes(job, account, all, perIndex ? Number.POSITIVE_INFINITY : count)) {
    if (now.length >= count) break;
    const failures = perIndex ? failuresOfIndex(all, job, index, isIgnored) : 0;
    const ends =
      failures === 0 ? [] : all.filter((pod) => indexOf(pod, job) === index && isFailed(pod, job)).map((pod) => finishedAtMs(pod, nowMs));
    const remainingMs = ends.length === 0 ? 0 : Math.max(...ends) + backoffMs(failures) - nowMs;
    if (remainingMs <= 0) now.push({ index, failures });
    else waitMs = Math.min(waitMs ?? remainingMs, remainingMs);
  }
  return { now, waitMs };
}

async function release({ setup }: Parts, tracked: readonly DeepReadonly<Pod>[]): Promise<void> {
  const results = await Promise.allSettled(tracked.map((pod) => removeFinalizer(setup, pod)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function removeFinalizer({ client }: ControllerSetup, pod: DeepReadonly<Pod>): Promise<void> {
  const metadata = { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] };
  try {
    await ignoreNotFound(client(pods).patch(keyOf(pod), { type: 'strategic', body: { metadata } }));
  } catch (error) {
    // Another Pod of that name by now.
    if (!hasReason(error, 'Conflict')) throw error;
  }
}

/** Removes the finalizer of Pods whose Job no longer exists, after asking the API whether that is so. */
async function releaseStrangers(parts: Parts, key: ObjectKey, cached: DeepReadonly<Job> | undefined): Promise<void> {
  const { setup } = parts;
  const held = setup.lister(pods).byIndex(byJob, formatKey(key)).filter(isTracked);
  const strangers = held.filter((pod) => findController(pod)?.uid !== cached?.metadata.uid);
  if (strangers.length === 0) return;
  const fresh = await ignoreNotFound(setup.client(jobs).get(key));
  await release(
    parts,
    strangers.filter((pod) => findController(pod)?.uid !== fresh?.metadata.uid),
  );
}
