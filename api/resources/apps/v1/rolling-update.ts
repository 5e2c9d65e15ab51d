import { findPercentage, type IntOrPercent } from '../../../semantics/workloads/int-or-percent.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { percentProblems, validateNonnegative } from '../../../validation/formats.ts';

/** A count of Pods, or a percentage of those desired. */
export function validateIntOrPercent(path: FieldPath, value: IntOrPercent | undefined): FieldError[] {
  if (typeof value === 'string') return percentProblems(value).map((problem) => invalid(path, value, problem));
  return validateNonnegative(path, value ?? 0);
}

export function validateAtMostAll(path: FieldPath, value: IntOrPercent | undefined): FieldError[] {
  const percentage = value === undefined ? undefined : findPercentage(value);
  return percentage !== undefined && percentage > 100 ? [invalid(path, value, 'must not be greater than 100%')] : [];
}

/** Whether the value allows no Pods: 0, 0%, or a text that is not a percentage. */
export function isNone(value: IntOrPercent | undefined): boolean {
  return typeof value === 'string' ? (findPercentage(value) ?? 0) === 0 : (value ?? 0) === 0;
}

interface RollingUpdate {
  readonly maxUnavailable?: IntOrPercent;
  readonly maxSurge?: IntOrPercent;
}

/** A strategy as messages show it, with the names that its fields have in Go. */
export function showStrategy(type: string, rollingUpdate: RollingUpdate | undefined): object {
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  return { Type: type, RollingUpdate: rollingUpdate === undefined ? null : { MaxUnavailable: maxUnavailable, MaxSurge: maxSurge } };
}
