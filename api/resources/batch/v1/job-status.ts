import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { findTime } from '../../../meta/time.ts';
import { isConditionTrue } from '../../../meta/conditions.ts';
import type { Job, JobStatus } from '../../../types/batch-v1.ts';
import { duplicate, type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateCounts } from '../../apps/v1/replica-status.ts';
import { countIndexes } from './job-spec.ts';

type Status = DeepReadonly<JobStatus>;

const isComplete = ({ conditions }: Status) => isConditionTrue(conditions, 'Complete');
const isFailed = ({ conditions }: Status) => isConditionTrue(conditions, 'Failed');
const isFinished = (status: Status) => isComplete(status) || isFailed(status);

/**
 * Validates a Job's status as its controller reports it: its numbers must be consistent, and its end is final (KEP-4368). An update may
 * keep violations that were stored before.
 */
export function validateJobStatusUpdate(job: DeepReadonly<Job>, old: DeepReadonly<Job>, path: FieldPath): FieldError[] {
  const at = path.child('status');
  const [status, before] = [job.status ?? {}, old.status ?? {}];
  return [
    ...validateCounts(status, ['active', 'succeeded', 'failed', 'ready', 'terminating'], at),
    ...validateUncounted(status, at.child('uncountedTerminatedPods')),
    ...validateEnds(status, before, at),
    ...validateIndexLists(job, before, at),
    ...validateProgress(status, before, at),
    ...validateSettled(job, old, at),
  ];
}

function validateUncounted({ uncountedTerminatedPods: uncounted }: Status, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return (['succeeded', 'failed'] as const).flatMap((field) =>
    (uncounted?.[field] ?? []).flatMap((uid, index) => {
      const at = path.child(field).index(index);
      if (uid === '') return [invalid(at, uid, 'must not be empty')];
      if (seen.has(uid)) return [duplicate(at, uid)];
      seen.add(uid);
      return [];
    }),
  );
}

/** The value is left out of messages about conditions. */
function ofConditions(path: FieldPath, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field: path.child('conditions').toString(), detail };
}

function validateEnds(status: Status, old: Status, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const [complete, failed] = [isComplete(status), isFailed(status)];
  const conditionsChanged = !isSemanticallyEqual(status.conditions, old.conditions);
  const holds = (type: string) => isConditionTrue(status.conditions, type);
  const completionTime = path.child('completionTime');
  const timesChanged = status.completionTime !== old.completionTime || status.startTime !== old.startTime;
  if (conditionsChanged) {
    if (complete && failed) errors.push(ofConditions(path, 'cannot set Complete=True and Failed=true conditions'));
    if (complete && holds('FailureTarget')) errors.push(ofConditions(path, 'cannot set Complete=True and FailureTarget=true conditions'));
  }
  if ((conditionsChanged || timesChanged) && status.completionTime && !complete) {
    errors.push(invalid(completionTime, status.completionTime, 'cannot set completionTime when there is no Complete=True condition'));
  }
  if ((conditionsChanged || timesChanged) && !status.completionTime && complete) {
    errors.push(required(completionTime, 'completionTime is required for Complete jobs'));
  }
  const [start, end] = [findTime(status.startTime), findTime(status.completionTime)];
  if (timesChanged && start !== undefined && end !== undefined && end < start) {
    errors.push(invalid(completionTime, status.completionTime, 'completionTime cannot be set before startTime'));
  }
  if (!isFailed(old) && failed && !holds('FailureTarget')) {
    errors.push(ofConditions(path, 'cannot set Failed=True condition without the FailureTarget=true condition'));
  }
  if (!isComplete(old) && complete && !holds('SuccessCriteriaMet')) {
    errors.push(ofConditions(path, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition'));
  }
  if (!isFinished(status) || isFinished(old)) return errors;
  if ((status.active ?? 0) > 0) errors.push(invalid(path.child('active'), status.active, 'active>0 is invalid for finished job'));
  if (!status.startTime) errors.push(required(path.child('startTime'), 'startTime is required for finished job'));
  const uncounted = status.uncountedTerminatedPods;
  if ((uncounted?.succeeded ?? []).length + (uncounted?.failed ?? []).length > 0) {
    const detail = 'uncountedTerminatedPods needs to be empty for finished job';
    errors.push(invalid(path.child('uncountedTerminatedPods'), uncounted, detail));
  }
  return errors;
}

function validateIndexLists({ spec, status = {} }: DeepReadonly<Job>, old: Status, path: FieldPath): FieldError[] {
  const { completions, backoffLimitPerIndex } = spec ?? {};
  if (completions === undefined) return [];
  const errors: FieldError[] = [];
  for (const field of ['completedIndexes', 'failedIndexes'] as const) {
    const text = status[field];
    if (text === undefined || text === old[field] || (field === 'failedIndexes' && backoffLimitPerIndex === undefined)) continue;
    const count = countIndexes(text, completions);
    if (typeof count === 'string') errors.push(invalid(path.child(field), text, `error parsing ${field}: ${count}`));
  }
  return errors;
}

function validateProgress(status: Status, old: Status, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['failed', 'succeeded'] as const) {
    const [now, before] = [status[field] ?? 0, old[field] ?? 0];
    if (now < before) errors.push(invalid(path.child(field), now, `cannot decrease the ${field} counter`));
  }
  if ((status.ready ?? 0) > (status.active ?? 0) && (status.ready !== old.ready || status.active !== old.active)) {
    errors.push(invalid(path.child('ready'), status.ready, 'cannot set more ready pods than active'));
  }
  return errors;
}

const finalConditions = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'] as const;

/** Validates final fields: how a Job ended, and when it was started and completed. */
function validateSettled(job: DeepReadonly<Job>, old: DeepReadonly<Job>, path: FieldPath): FieldError[] {
  const [status, before] = [job.status ?? {}, old.status ?? {}];
  const errors: FieldError[] = [];
  for (const type of finalConditions) {
    if (isConditionTrue(before.conditions, type) && !isConditionTrue(status.conditions, type)) {
      errors.push(ofConditions(path, `cannot disable the terminal ${type}=True condition`));
    }
  }
  if (isFinished(before) && before.completionTime && status.completionTime !== before.completionTime) {
    errors.push(invalid(path.child('completionTime'), status.completionTime, 'field is immutable'));
  }
  return errors;
}
