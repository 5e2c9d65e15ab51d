import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { formatAge } from '../../../meta/duration.ts';
import { findTime } from '../../../meta/time.ts';
import { isConditionTrue } from '../../../meta/conditions.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabelSelector, matchesLabelSelector } from '../../../selectors/label-selectors.ts';
import type { Job, JobSpec } from '../../../types/batch-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { isValidLabelSelector, validateLabelSelector } from '../../../validation/labels.ts';
import { dns1123LabelProblems } from '../../../validation/names.ts';
import { containerColumns } from '../../core/v1/pod-spec/container-columns.ts';
import { canonicalizeTemplate } from '../../core/v1/pod-spec/service-account.ts';
import { selectorMismatch, workloadWarnings } from '../../core/v1/pod-spec/workload-template.ts';
import { generateJobSelector, validateGeneratedSelector } from './job-selector.ts';
import { validateJobSpec } from './job-spec.ts';
import { validateJobStatusUpdate } from './job-status.ts';

/** Pods that run to their end, as many and as often as it takes. */
export const jobs = defineResource<Job>({
  group: 'batch',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Job', plural: 'jobs', categories: ['all'] },
  definition: 'io.k8s.api.batch.v1.Job',
  subresources: {
    status: { kind: 'Job', verbs: ['get', 'patch', 'update'] },
  },
  tellsTwice: true,
  storagePrefix: 'jobs',
  hasGeneration: true,
  defaultGarbageCollection: 'orphan',
  deletionWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  printerColumns: [
    nameColumn,
    textColumn('Status', describeStatus),
    textColumn('Completions', ({ spec, status }) => {
      const succeeded = status?.succeeded ?? 0;
      if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
      const parallelism = spec?.parallelism ?? 0;
      return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
    }),
    textColumn('Duration', ({ status }, { nowMs }) => {
      const startMs = findTime(status?.startTime);
      return startMs === undefined ? '' : formatAge((findTime(status?.completionTime) ?? nowMs) - startMs);
    }),
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec?.template),
    wideColumn('Selector', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  default: ({ spec }) => canonicalizeTemplate(spec?.template),
  prepareForCreate: generateJobSelector,
  validate(job, path, { operation }) {
    const at = path.child('spec');
    if (job.spec === undefined) return [required(at)];
    const { selector, template } = job.spec;
    const errors = operation === 'create' ? [...validateIndexedName(job, path), ...validateGeneratedSelector(job, path)] : [];
    errors.push(...validateJobSpec(job.spec, at));
    if (selector === undefined) errors.push(required(at.child('selector')));
    else errors.push(...validateLabelSelector(selector, at.child('selector')));
    const labels = template?.metadata?.labels;
    if (isValidLabelSelector(selector) && !matchesLabelSelector(selector, labels))
      errors.push(invalid(at.child('template', 'metadata', 'labels'), labels, selectorMismatch));
    return errors;
  },
  validateUpdate({ spec }, old, path) {
    const at = path.child('spec');
    return [
      ...validateCompletionsUpdate(spec, old.spec, at.child('completions')),
      ...validateImmutable(at.child('selector'), spec?.selector, old.spec?.selector),
      ...validateTemplateUpdate(spec, old, at.child('template')),
      ...(['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const).flatMap((field) =>
        validateImmutable(at.child(field), spec?.[field], old.spec?.[field]),
      ),
    ];
  },
  validateStatusUpdate: validateJobStatusUpdate,
  warnings: (object, old) => workloadWarnings(object, old, object.spec?.template),
});

const statusWords = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
  ['', 'Terminating'],
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
] as const;

function describeStatus({ metadata, status }: DeepReadonly<Job>): string {
  const holds = (condition: string) =>
    condition === '' ? Boolean(metadata.deletionTimestamp) : isConditionTrue(status?.conditions, condition);
  return statusWords.find(([condition]) => holds(condition))?.[1] ?? 'Running';
}

/** Host names of an indexed Job's Pods are made of its name and the index. */
function validateIndexedName({ metadata, spec }: DeepReadonly<Job>, path: FieldPath): FieldError[] {
  if (spec?.completionMode !== 'Indexed' || spec.completions === undefined || spec.completions <= 0) return [];
  const longest = `${metadata.name}-${spec.completions - 1}`;
  if (dns1123LabelProblems(longest).length === 0) return [];
  return [invalid(path.child('metadata', 'name'), metadata.name, `will not able to create pod with invalid DNS label: ${longest}`)];
}

type Spec = DeepReadonly<JobSpec> | undefined;

/** An indexed Job may grow and shrink, all at once (KEP-3715). */
function validateCompletionsUpdate(spec: Spec, old: Spec, path: FieldPath): FieldError[] {
  const { completions, parallelism, completionMode } = spec ?? {};
  if (completions === old?.completions) return [];
  if (completionMode !== 'Indexed' || completions === undefined) return validateImmutable(path, completions, old?.completions);
  return completions === parallelism ? [] : [invalid(path, completions, `can only be modified in tandem with spec.parallelism`)];
}

/** The rules for the Pods' nodes can change while no Pod has been started (KEP-2926). */
function validateTemplateUpdate(spec: Spec, old: DeepReadonly<Job>, path: FieldPath): FieldError[] {
  const { template } = spec ?? {};
  const before = old.spec?.template;
  const mayMove = old.spec?.suspend === true && !old.status?.startTime;
  const comparable = mayMove && template?.spec ? withSchedulingOf(template, before) : template;
  return isSemanticallyEqual(comparable, before) ? [] : validateImmutable(path, template, before);
}

type Template = NonNullable<Spec>['template'];

function withSchedulingOf(template: Template, before: Template | undefined): Template {
  const scheduling = ['nodeSelector', 'tolerations', 'schedulingGates', 'affinity'] as const;
  const spec: Record<string, unknown> = { ...template.spec };
  for (const field of scheduling) {
    delete spec[field];
    if (before?.spec?.[field] !== undefined) spec[field] = before.spec[field];
  }
  const { metadata } = before ?? {};
  return { ...template, spec: spec as NonNullable<Template['spec']>, ...(metadata === undefined ? {} : { metadata }) };
}
