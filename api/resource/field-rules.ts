import { type FieldError, hasEnoughErrors, invalid, notSupported, required } from '../validation/field-error.ts';
import type { FieldPath } from '../validation/field-path.ts';

/** One error for each problem that a rule for names or formats found in the value. */
export function invalidFor(path: FieldPath, value: unknown, problems: readonly string[]): FieldError[] {
  return problems.map((problem) => invalid(path, value, problem));
}

/** Validates the elements of a list, each at its index. Stops where there are errors enough. */
export function validateEach<T>(
  items: readonly T[] | null | undefined,
  path: FieldPath,
  validate: (item: T, at: FieldPath, index: number) => FieldError[],
): FieldError[] {
  if (!items) return [];
  let errors: FieldError[] | undefined;
  for (let index = 0; index < items.length; index++) {
    // The list is dense, and its elements may be undefined.
    const found = validate(items[index] as T, path.index(index), index);
    if (found.length === 0) continue;
    errors ??= [];
    for (const error of found) errors.push(error);
    if (hasEnoughErrors(errors)) break;
  }
  return errors ?? [];
}

/** The errors of several rules, in their order. Mostly there are none, and then nothing is copied. */
export function joinErrors(...lists: readonly FieldError[][]): FieldError[] {
  let first: FieldError[] | undefined;
  let joined: FieldError[] | undefined;
  for (const list of lists) {
    if (list.length === 0) continue;
    if (first === undefined) first = list;
    else {
      joined ??= [...first];
      for (const error of list) joined.push(error);
    }
  }
  return joined ?? first ?? [];
}

/** Validates a field that must hold one of a few words. */
export function validateChoice(
  path: FieldPath,
  value: string | undefined,
  supported: readonly string[],
  whenEmpty: 'required' | 'allowed' | 'unsupported' = 'required',
): FieldError[] {
  if (value !== undefined && supported.includes(value)) return [];
  if (value === undefined || value === '') {
    if (whenEmpty === 'allowed') return [];
    if (whenEmpty === 'required') return [required(path)];
  }
  return [notSupported(path, value ?? '', supported)];
}

/** A field that may not be empty and has to pass a rule. */
export function validateRequired(
  path: FieldPath,
  value: string | undefined,
  rule: (value: string) => readonly string[] = () => [],
): FieldError[] {
  return value ? invalidFor(path, value, rule(value)) : [required(path)];
}

/** Numbers that must be at least 1. */
export function validatePositive(path: FieldPath, value: number): FieldError[] {
  return value > 0 ? [] : [invalid(path, value, 'must be greater than zero')];
}
