import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { controllerReference, isControlledBy } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { findTime, formatRFC1123, formatTime } from '../../../api/meta/time.ts';
import { cronJobs } from '../../../api/resources/batch/v1/cron-job.ts';
import { jobs } from '../../../api/resources/batch/v1/job.ts';
import { CronScheduleError, type CronSchedule, parseCronSchedule } from '../../../api/semantics/workloads/cron-schedule.ts';
import type { CronJob, CronJobStatus, Job } from '../../../api/types/batch-v1.ts';
import {
  type ControllerSetup,
  defineController,
  done,
  owning,
  type ReconcileResult,
  requeueAfterSeconds,
} from '../runtime/define-controller.ts';
import { dependentsOf, indexByController } from '../runtime/dependents.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { isSameStatus } from '../runtime/status-equality.ts';
import { endOf, jobsToForget, planCron } from './cron-plan.ts';
import { rules } from './rbac.ts';
import { findTimeZone, formatInZone, type TimeZone } from './schedule-times.ts';

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

type Say = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** Starts Jobs at the times of a schedule. */
export const cronJobController = defineController({
  name: 'cronjob-controller',
  account: 'cronjob-controller',
  for: cronJobs,
  watches: [owning(jobs, cronJobs)],
  rules,
  setUp(setup) {
    indexByController(setup.informer(jobs));
    return (key) => reconcile(setup, key);
  },
});

async function reconcile(setup: ControllerSetup, key: ObjectKey): Promise<ReconcileResult> {
  const cached = setup.lister(cronJobs).find(key);
  if (cached === undefined) return done;
  const say: Say = (type, reason, message) => setup.events.event(referenceTo(cronJobs, cached), type, reason, message);
  const own = dependentsOf(setup.informer(jobs), cached.metadata.uid ?? '');
  const status = await takeStock(setup, cached, own, say);
  const cronJob: DeepReadonly<CronJob> = { ...cached, status };
  let result: ReconcileResult = done;
  if (cached.metadata.deletionTimestamp === undefined && !cached.spec?.suspend) {
    const zone = zoneOf(cached, say);
    const schedule = scheduleOf(cached, say);
    if (zone !== undefined && schedule !== undefined) result = await run(setup, cronJob, { schedule, zone, own, status, say });
  }
  if (!isSameStatus(status, cached.status)) {
    await setup.client(cronJobs).updateStatus({ ...mutableCopy<CronJob>(cached), status });
  }
  for (const job of jobsToForget(cronJob, own)) await deleteJob(setup, job, say);
  return result;
}

function zoneOf({ spec }: DeepReadonly<CronJob>, say: Say): TimeZone | undefined {
  const name = spec?.timeZone ?? 'UTC';
  const zone = findTimeZone(name);
  if (zone === undefined) say('Warning', 'UnknownTimeZone', `invalid timeZone: "${name}": unknown time zone ${name}`);
  return zone;
}

function scheduleOf({ spec }: DeepReadonly<CronJob>, say: Say): CronSchedule | undefined {
  try {
    return parseCronSchedule(spec?.schedule ?? '');
  } catch (error) {
    if (!(error instanceof CronScheduleError)) throw error;
    say('Warning', 'UnparseableSchedule', `unparseable schedule: "${spec?.schedule}" : ${error.message}`);
    return undefined;
  }
}

/** Updates the status from the Jobs: the active ones, and the time of the last success. */
async function takeStock(
  setup: ControllerSetup,
  cronJob: DeepReadonly<CronJob>,
  own: readonly DeepReadonly<Job>[],
  say: Say,
): Promise<CronJobStatus> {
  const status = mutableCopy<CronJobStatus>(cronJob.status ?? {});
  let active = status.active ?? [];
  for (const job of own) {
    const end = endOf(job);
    const isActive = active.some(({ uid }) => uid === job.metadata.uid);
    if (end === undefined && !isActive) {
      // Started by hand (kubectl create job --from names no controller), or in a round whose status was lost.
      say('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`);
    } else if (end !== undefined && isActive) {
      active = active.filter(({ uid }) => uid !== job.metadata.uid);
      say('Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${end}`);
    }
    const completed = end === 'Complete' ? job.status?.completionTime : undefined;
    if (completed && (findTime(completed) ?? 0) > (findTime(status.lastSuccessfulTime) ?? 0)) status.lastSuccessfulTime = completed;
  }
  for (const reference of active) {
    if (own.some(({ metadata }) => metadata.uid === reference.uid)) continue;
    const key = { namespace: cronJob.metadata.namespace ?? '', name: reference.name ?? '' };
    if ((await ignoreNotFound(setup.client(jobs).get(key))) !== undefined) continue;
    say('Normal', 'MissingJob', `Active job went missing: ${reference.name}`);
    active = active.filter(({ uid }) => uid !== reference.uid);
  }
  if (active.length > 0) status.active = active;
  else delete status.active;
  return status;
}

interface RunParts {
  readonly schedule: CronSchedule;
  readonly zone: TimeZone;
  readonly own: readonly DeepReadonly<Job>[];
  /** Modified. */
  readonly status: CronJobStatus;
  readonly say: Say;
}

async function run(
  setup: ControllerSetup,
  cronJob: DeepReadonly<CronJob>,
  { schedule, zone, own, status, say }: RunParts,
): Promise<ReconcileResult> {
  const nowMs = setup.clock.nowMs();
  const plan = planCron(cronJob, schedule, zone, status.active?.length ?? 0, nowMs);
  const { decision } = plan;
  const later = plan.nextSeconds === undefined ? done : requeueAfterSeconds(plan.nextSeconds);
  if (plan.nextSeconds === undefined && decision.kind === 'wait') {
    // The message of the library that upstream uses, for a schedule without a next time.
    const problem = 'time difference between two schedules is less than 1 second';
    say('Warning', 'InvalidSchedule', `invalid schedule: ${cronJob.spec?.schedule} : ${problem}`);
  }
  if (plan.missedTooMany) {
    const advice = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    say('Warning', 'TooManyMissedTimes', advice);
  }
  if (decision.kind === 'too-late')
    say('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${formatRFC1123(decision.scheduledMs)}`);
  if (decision.kind === 'forbidden') {
    say('Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid');
  }
  if (decision.kind !== 'run') return later;
  const job = jobAt(cronJob, decision.scheduledMs, zone);
  if (status.active?.some(({ name }) => name === job.metadata.name)) return later;
  if (decision.replaces) {
    for (const reference of status.active ?? []) {
      const running = own.find(({ metadata }) => metadata.uid === reference.uid);
      if (running !== undefined) await deleteJob(setup, running, say);
    }
    delete status.active;
  }
  const created = await createJob(setup, cronJob, job, say);
  status.lastScheduleTime = formatTime(decision.scheduledMs);
  if (created !== undefined) status.active = [...(status.active ?? []), referenceTo(jobs, created)];
  return later;
}

/** Undefined where the Job was there already, and has ended. */
async function createJob({ client }: ControllerSetup, cronJob: DeepReadonly<CronJob>, job: Job, say: Say): Promise<Job | undefined> {
  try {
    const created = await client(jobs).create(job);
    say('Normal', 'SuccessfulCreate', `Created job ${created.metadata.name}`);
    return created;
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) {
      const present = await client(jobs).get(keyOf(job));
      // Created in a round whose status was lost.
      if (isControlledBy(present, cronJob)) return endOf(present) === undefined ? present : undefined;
    }
    if (!isNamespaceTerminating(error)) say('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
    throw error;
  }
}

/** Named after its time, so that it is started once however often that is tried. */
function jobAt(cronJob: DeepReadonly<CronJob>, scheduledMs: number, zone: TimeZone): Job {
  const template = mutableCopy<NonNullable<CronJob['spec']>>(cronJob.spec ?? { schedule: '', jobTemplate: {} }).jobTemplate;
  const { labels, annotations } = template.metadata ?? {};
  return {
    metadata: {
      name: `${cronJob.metadata.name}-${Math.floor(scheduledMs / 60_000)}`,
      namespace: cronJob.metadata.namespace ?? '',
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [scheduledAnnotation]: formatInZone(scheduledMs, zone) },
      creationTimestamp: formatTime(scheduledMs),
      ownerReferences: [controllerReference(cronJob, { apiVersion: 'batch/v1', kind: 'CronJob' })],
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}

async function deleteJob({ client }: ControllerSetup, job: DeepReadonly<Job>, say: Say): Promise<void> {
  try {
    const preconditions = { uid: job.metadata.uid ?? '' };
    await ignoreNotFound(client(jobs).delete(keyOf(job), { propagationPolicy: 'Background', preconditions }));
    say('Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
  } catch (error) {
    say('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
    throw error;
  }
}
