import { isSemanticallyEqual } from '../base/equality.ts';
import { type FieldError, invalid } from './field-error.ts';
import type { FieldPath } from './field-path.ts';

/** Checks that a field is unchanged. Both values are decoded: absent, null and an empty list count as the same. */
export function validateImmutable(path: FieldPath, value: unknown, old: unknown): FieldError[] {
  return isSemanticallyEqual(value, old) ? [] : [invalid(path, value, 'field is immutable')];
}
