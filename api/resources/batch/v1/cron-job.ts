import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, formatTimeSince, integerColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice } from '../../../resource/field-rules.ts';
import { CronScheduleError, parseCronSchedule } from '../../../semantics/workloads/cron-schedule.ts';
import { formatLabelSelector } from '../../../selectors/label-selectors.ts';
import type { CronJob, CronJobSpec } from '../../../types/batch-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { containerColumns } from '../../core/v1/pod-spec/container-columns.ts';
import { canonicalizeTemplate } from '../../core/v1/pod-spec/service-account.ts';
import { workloadWarnings } from '../../core/v1/pod-spec/workload-template.ts';
import { validateJobSpec } from './job-spec.ts';

/** Names of its Jobs get eleven characters more, and 63 fit into a label. */
const maxNameLength = 52;

/** Jobs by the clock. */
export const cronJobs = defineResource<CronJob>({
  group: 'batch',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'CronJob', plural: 'cronjobs', shortNames: ['cj'], categories: ['all'] },
  definition: 'io.k8s.api.batch.v1.CronJob',
  subresources: {
    status: { kind: 'CronJob', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'cronjobs',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Schedule', ({ spec }) => spec?.schedule ?? ''),
    textColumn('Timezone', ({ spec }) => spec?.timeZone ?? '<none>'),
    { name: 'Suspend', type: 'boolean', value: ({ spec }) => (spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False') },
    integerColumn('Active', ({ status }) => status?.active?.length ?? 0),
    textColumn('Last Schedule', ({ status }, { nowMs }) =>
      status?.lastScheduleTime ? formatTimeSince(status.lastScheduleTime, nowMs) : '<none>',
    ),
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template),
    wideColumn('Selector', ({ spec }) => formatLabelSelector(spec?.jobTemplate?.spec?.selector)),
  ],
  default: ({ spec }) => canonicalizeTemplate(spec?.jobTemplate?.spec?.template),
  validate({ metadata, spec }, path, { operation }) {
    const name = metadata.name ?? '';
    const errors: FieldError[] = [];
    const at = path.child('spec');
    if (spec === undefined) return [required(at)];
    if (operation === 'create' && name.length > maxNameLength) {
      errors.push(invalid(path.child('metadata', 'name'), name, `must be no more than ${maxNameLength} characters`));
    }
    errors.push(
      ...validateSchedule(spec, at),
      ...validateNonnegative(at.child('startingDeadlineSeconds'), spec.startingDeadlineSeconds ?? 0),
      ...validateChoice(at.child('concurrencyPolicy'), spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
      ...validateJobTemplate(spec, at.child('jobTemplate')),
      ...validateNonnegative(at.child('successfulJobsHistoryLimit'), spec.successfulJobsHistoryLimit ?? 0),
      ...validateNonnegative(at.child('failedJobsHistoryLimit'), spec.failedJobsHistoryLimit ?? 0),
    );
    return errors;
  },
  warnings: (cronJob, old) =>
    workloadWarnings(cronJob, old, cronJob.spec?.jobTemplate?.spec?.template, {
      at: FieldPath.root.child('spec', 'jobTemplate', 'spec', 'template'),
    }),
});

function validateSchedule({ schedule, timeZone }: DeepReadonly<CronJobSpec>, path: FieldPath): FieldError[] {
  const at = path.child('schedule');
  const errors: FieldError[] = [];
  if (!schedule) errors.push(required(at));
  else {
    try {
      parseCronSchedule(schedule);
    } catch (error) {
      if (!(error instanceof CronScheduleError)) throw error;
      errors.push(invalid(at, schedule, error.message));
    }
    if (schedule.includes('TZ')) {
      const message =
        timeZone === undefined
          ? 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
          : 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
      errors.push(invalid(at, schedule, message));
    }
  }
  return [...errors, ...validateTimeZone(timeZone, path.child('timeZone'))];
}

function validateTimeZone(timeZone: string | undefined, path: FieldPath): FieldError[] {
  if (timeZone === undefined) return [];
  if (timeZone === '') return [invalid(path, timeZone, 'timeZone must be nil or non-empty string')];
  if (timeZone.toLowerCase() === 'local') {
    return [invalid(path, timeZone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')];
  }
  return isTimeZone(timeZone) ? [] : [invalid(path, timeZone, `unknown time zone ${timeZone}`)];
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '' && !/^[+-]/.test(name);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Jobs that are made of a template get their selectors when they are made. */
function validateJobTemplate({ jobTemplate }: DeepReadonly<CronJobSpec>, path: FieldPath): FieldError[] {
  const at = path.child('spec');
  const spec = jobTemplate?.spec;
  if (spec === undefined) return [required(at)];
  const errors = validateJobSpec(spec, at);
  if (spec.selector !== undefined) errors.push(invalid(at.child('selector'), spec.selector, '`selector` will be auto-generated'));
  if (spec.manualSelector === true) errors.push(notSupported(at.child('manualSelector'), true, ['nil', 'false']));
  return errors;
}
