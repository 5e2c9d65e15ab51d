import { isSemanticallyEqual } from '../base/equality.ts';
import { type FieldError, invalid } from './field-error.ts';
import type { FieldPath } from './field-path.ts';

/** The field must be what it was. Both are decoded values: absent, null and an empty list count as the same. */
export function validateImmutable(path: FieldPath, value: unknown, old: unknown): FieldError[] {
  return isSemanticallyEqual(value, old) ? [] : [invalid(path, value, 'field is immutable')];
}
