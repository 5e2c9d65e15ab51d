import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateNonnegative } from '../../../validation/formats.ts';

type Counts<F extends string> = { readonly [K in F]?: number };

/** Counts of a status: none is negative. */
export function validateCounts<F extends string>(status: Counts<F> | undefined, fields: readonly F[], path: FieldPath): FieldError[] {
  return fields.flatMap((field) => validateNonnegative(path.child(field), status?.[field] ?? 0));
}

/** Parts are no more than the whole that they are part of. */
export function validateParts<F extends string>(
  status: Counts<F> | undefined,
  parts: readonly F[],
  whole: F,
  shownWhole: string,
  path: FieldPath,
): FieldError[] {
  const limit = status?.[whole] ?? 0;
  return parts.flatMap((part) => {
    const count = status?.[part] ?? 0;
    return count > limit ? [invalid(path.child(part), count, `cannot be greater than ${shownWhole}`)] : [];
  });
}

/** Validates a counter that must not decrease. */
export function validateNotDecremented(path: FieldPath, after: number | undefined, before: number | undefined): FieldError[] {
  return before !== undefined && (after ?? 0) < before ? [invalid(path, after ?? 0, 'cannot be decremented')] : [];
}
