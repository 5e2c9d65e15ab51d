import { utf8Length } from '../base/utf8.ts';
import { type FieldError, forbidden, hasEnoughErrors, invalid, required, tooLong } from './field-error.ts';
import { FieldPath } from './field-path.ts';
import { labelValueProblems, qualifiedNameProblems } from './names.ts';

const maxAnnotationBytes = 256 * 1024;

/** metav1.LabelSelector as it may come from a client. */
export interface LabelSelectorLike {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirementLike[];
}

interface LabelSelectorRequirementLike {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export function validateLabelName(name: string, path: FieldPath): FieldError[] {
  return qualifiedNameProblems(name).map((problem) => invalid(path, name, problem));
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.push(...validateLabelName(key, path));
    for (const problem of labelValueProblems(value)) errors.push(invalid(path, value, problem));
    if (hasEnoughErrors(errors)) break;
  }
  return errors;
}

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (!hasEnoughErrors(errors)) for (const problem of qualifiedNameProblems(key.toLowerCase())) errors.push(invalid(path, key, problem));
    bytes += utf8Length(key) + utf8Length(value);
  }
  if (bytes > maxAnnotationBytes) errors.push(tooLong(path, maxAnnotationBytes));
  return errors;
}

interface LabelSelectorOptions {
  /** Accepts invalid values, for objects that were stored with them. */
  readonly allowInvalidValues?: boolean;
}

export function validateLabelSelector(
  selector: LabelSelectorLike | undefined,
  path: FieldPath,
  options: LabelSelectorOptions = {},
): FieldError[] {
  if (selector === undefined) return [];
  const errors = validateLabels(selector.matchLabels, path.child('matchLabels'));
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    errors.push(...validateRequirement(requirement, path.child('matchExpressions').index(index), options));
    if (hasEnoughErrors(errors)) break;
  }
  return errors;
}

function validateRequirement(requirement: LabelSelectorRequirementLike, path: FieldPath, options: LabelSelectorOptions): FieldError[] {
  const errors: FieldError[] = [];
  const { key, operator, values = [] } = requirement;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(required(path.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(forbidden(path.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else {
    errors.push(invalid(path.child('operator'), operator, 'not a valid selector operator'));
  }
  errors.push(...validateLabelName(key, path.child('key')));
  if (options.allowInvalidValues) return errors;
  for (const [index, value] of values.entries()) {
    for (const problem of labelValueProblems(value)) errors.push(invalid(path.child('values').index(index), value, problem));
    if (hasEnoughErrors(errors)) break;
  }
  return errors;
}

/** Whether the selector is a valid Pod selector; an absent selector selects no Pods. */
export function isValidLabelSelector(selector: LabelSelectorLike | undefined): boolean {
  return validateLabelSelector(selector, FieldPath.root).length === 0;
}
