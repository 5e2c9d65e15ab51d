import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isEqual } from '../../../base/equality.ts';
import { validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from '../../../types/batch-v1.ts';
import { duplicate, type FieldError, invalid, notSupported, required, tooLong, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateDomainPrefixedPath, validateNonnegative } from '../../../validation/formats.ts';
import { validatePodTemplate } from '../../core/v1/pod-spec/pod-template.ts';
import { validateQualifiedName } from '../../core/v1/pod-spec/names.ts';

type Spec = DeepReadonly<JobSpec>;

const maxIndexedParallelism = 100_000;
const maxFailedIndexesOfAll = 100_000;
/** A Job with more completions than this and a backoff limit per index has smaller limits. */
const manyCompletions = 100_000;
const maxOfManyCompletions = 10_000;
const maxSucceededIndexesBytes = 64 * 1024;
const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

/** Validates the fields that a Job and a CronJob's template share: all but the selector. */
export function validateJobSpec(spec: Spec, path: FieldPath): FieldError[] {
  const isIndexed = spec.completionMode === 'Indexed';
  const errors = counts.flatMap((field) => validateNonnegative(path.child(field), spec[field] ?? 0));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(path.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) {
    errors.push(...validateDomainPrefixedPath(path.child('managedBy'), spec.managedBy));
    if (spec.managedBy.length > 63) errors.push(tooLong(path.child('managedBy'), 63));
  }
  if (spec.completionMode !== undefined) {
    errors.push(...validateChoice(path.child('completionMode'), spec.completionMode, ['NonIndexed', 'Indexed'], 'unsupported'));
  }
  if (isIndexed) errors.push(...validateIndexed(spec, path));
  else if (spec.completionMode === undefined || spec.completionMode === 'NonIndexed') {
    if (spec.backoffLimitPerIndex !== undefined)
      errors.push(invalid(path.child('backoffLimitPerIndex'), spec.backoffLimitPerIndex, needsIndexes));
    if (spec.maxFailedIndexes !== undefined) errors.push(invalid(path.child('maxFailedIndexes'), spec.maxFailedIndexes, needsIndexes));
  }
  if (spec.podFailurePolicy !== undefined) errors.push(...validatePodFailurePolicy(spec, path.child('podFailurePolicy')));
  if (spec.successPolicy !== undefined) {
    const at = path.child('successPolicy');
    errors.push(...(isIndexed ? validateSuccessPolicy(spec, at) : [invalid(at, spec.successPolicy, needsIndexes)]));
  }
  errors.push(...validateReplacement(spec, path.child('podReplacementPolicy')));
  return [...errors, ...validatePodTemplate(spec.template ?? {}, path.child('template')), ...validateRestartPolicy(spec, path)];
}

const needsIndexes = 'requires indexed completion mode';

function validateIndexed(spec: Spec, path: FieldPath): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  const errors = completions === undefined ? [required(path.child('completions'), 'when completion mode is Indexed')] : [];
  if (parallelism > maxIndexedParallelism) {
    errors.push(
      invalid(
        path.child('parallelism'),
        parallelism,
        `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`,
      ),
    );
  }
  const failedPath = path.child('maxFailedIndexes');
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions)
    errors.push(invalid(failedPath, maxFailedIndexes, 'must be less than or equal to completions'));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > maxFailedIndexesOfAll)
    errors.push(invalid(failedPath, maxFailedIndexes, `must be less than or equal to ${maxFailedIndexesOfAll}`));
  return [...errors, ...validateManyCompletions(spec, path)];
}

function validateManyCompletions({ completions = 0, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex }: Spec, path: FieldPath) {
  if (completions <= manyCompletions || backoffLimitPerIndex === undefined) return [];
  const errors: FieldError[] = [];
  const failedPath = path.child('maxFailedIndexes');
  const tooLarge = `must be less than or equal to ${maxOfManyCompletions} when completions are above ${manyCompletions} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) errors.push(required(failedPath, `must be specified when completions is above ${manyCompletions}`));
  if (parallelism > maxOfManyCompletions) errors.push(invalid(path.child('parallelism'), parallelism, tooLarge));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > maxOfManyCompletions)
    errors.push(invalid(failedPath, maxFailedIndexes, tooLarge));
  return errors;
}

function validateRestartPolicy({ template, podFailurePolicy }: Spec, path: FieldPath): FieldError[] {
  const at = path.child('template', 'spec', 'restartPolicy');
  const policy = template?.spec?.restartPolicy ?? '';
  if (policy === 'Always' || policy === '') return [required(at, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(at, policy, ['OnFailure', 'Never'])];
  if (podFailurePolicy !== undefined && policy !== 'Never')
    return [invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')];
  return [];
}

function validateReplacement({ podReplacementPolicy: policy, podFailurePolicy }: Spec, path: FieldPath): FieldError[] {
  if (policy === undefined) return [];
  if (podFailurePolicy !== undefined) return policy === 'Failed' ? [] : [notSupported(path, policy, ['Failed'])];
  return validateChoice(path, policy, ['Failed', 'TerminatingOrFailed'], 'unsupported');
}

const failureActions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function validatePodFailurePolicy(spec: Spec, path: FieldPath): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const errors = rules.length > 20 ? [tooMany(path.child('rules'), rules.length, 20)] : [];
  return [...errors, ...validateEach(rules, path.child('rules'), (rule, at) => validateFailureRule(rule, spec, at))];
}

function validateFailureRule(rule: DeepReadonly<PodFailurePolicyRule>, spec: Spec, at: FieldPath): FieldError[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const errors: FieldError[] = [];
  if (!action) errors.push(required(at.child('action'), `valid values: [${failureActions.map((choice) => `"${choice}"`).join(' ')}]`));
  else if (!failureActions.includes(action)) errors.push(notSupported(at.child('action'), action, failureActions));
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(at.child('action'), action, 'requires the backoffLimitPerIndex to be set'));
  }
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(onExitCodes, spec, at.child('onExitCodes')));
  errors.push(
    ...validateEach(onPodConditions, at.child('onPodConditions'), ({ type, status }, conditionPath) => [
      ...validateQualifiedName(conditionPath.child('type'), type),
      ...validateChoice(conditionPath.child('status'), status, ['False', 'True', 'Unknown']),
    ]),
  );
  // Neither message shows a value.
  const ofRule = (detail: string): FieldError => ({ type: 'FieldValueInvalid', field: at.toString(), detail });
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(ofRule('specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(ofRule('specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return errors;
}

function validateExitCodes(codes: NonNullable<DeepReadonly<PodFailurePolicyRule>['onExitCodes']>, spec: Spec, at: FieldPath): FieldError[] {
  const { operator, containerName, values = [] } = codes;
  const errors = operator
    ? validateChoice(at.child('operator'), operator, ['In', 'NotIn'])
    : [required(at.child('operator'), 'valid values: ["In" "NotIn"]')];
  const podSpec = spec.template?.spec;
  const names = [...(podSpec?.containers ?? []), ...(podSpec?.initContainers ?? [])].map(({ name }) => name);
  if (containerName !== undefined && !names.includes(containerName)) {
    errors.push(
      invalid(at.child('containerName'), containerName, 'must be one of the container or initContainer names in the pod template'),
    );
  }
  const path = at.child('values');
  if (values.length === 0) errors.push(invalid(path, values, 'at least one value is required'));
  if (values.length > 255) errors.push(tooMany(path, values.length, 255));
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0) errors.push(invalid(path.index(index), value, 'must not be 0 for the In operator'));
    if (seen.has(value)) errors.push(duplicate(path.index(index), value));
    seen.add(value);
  }
  if (
    !isEqual(
      values,
      values.toSorted((a, b) => a - b),
    )
  )
    errors.push(invalid(path, values, 'must be ordered'));
  return errors;
}

function validateSuccessPolicy(spec: Spec, path: FieldPath): FieldError[] {
  const rules = spec.successPolicy?.rules ?? [];
  const at = path.child('rules');
  if (rules.length === 0) return [required(at, 'at least one rules must be specified when the successPolicy is specified')];
  const errors = rules.length > 20 ? [tooMany(at, rules.length, 20)] : [];
  return [...errors, ...validateEach(rules, at, (rule, rulePath) => validateSuccessRule(rule, spec.completions ?? 0, rulePath))];
}

function validateSuccessRule(
  { succeededCount, succeededIndexes }: DeepReadonly<SuccessPolicyRule>,
  completions: number,
  at: FieldPath,
): FieldError[] {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    return [required(at, 'at least one of succeededCount or succeededIndexes must be specified')];
  }
  const errors: FieldError[] = [];
  const indexes = succeededIndexes === undefined ? undefined : countIndexes(succeededIndexes, completions);
  const indexesPath = at.child('succeededIndexes');
  if ((succeededIndexes?.length ?? 0) > maxSucceededIndexesBytes) errors.push(tooLong(indexesPath, maxSucceededIndexesBytes));
  if (typeof indexes === 'string') errors.push(invalid(indexesPath, succeededIndexes, `error parsing succeededIndexes: ${indexes}`));
  if (succeededCount === undefined) return errors;
  const countPath = at.child('succeededCount');
  const atMost = (limit: number, whole: string) => {
    if (succeededCount > limit) errors.push(invalid(countPath, succeededCount, `must be less than or equal to ${limit} (${whole})`));
  };
  errors.push(...validateNonnegative(countPath, succeededCount));
  atMost(completions, 'the number of specified completions');
  if (indexes !== undefined)
    atMost(typeof indexes === 'number' ? indexes : 0, 'the number of indexes in the specified succeededIndexes field');
  return errors;
}

/** The number of indexes in a text such as `0-2,5`, or the error in it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let total = 0;
  let previous = -1;
  for (const interval of text.split(',')) {
    const [first = '', last = first, ...rest] = interval.split('-');
    if (rest.length > 0)
      return `the fragment "${interval}" violates the requirement that an index interval can have at most two parts separated by '-'`;
    if (!/^\d+$/.test(first)) return `cannot convert string to integer for index: "${first}"`;
    if (!/^\d+$/.test(last)) return `cannot convert string to integer for index: "${last}"`;
    const [start, end] = [Number(first), Number(last)];
    if (Math.max(start, end) >= completions) return `too large index: "${Math.max(start, end)}"`;
    if (start <= previous) return `non-increasing order, previous: ${previous}, current: ${start}`;
    if (end < start) return `non-increasing order, previous: ${start}, current: ${end}`;
    total += end - start + 1;
    previous = end;
  }
  return total;
}
