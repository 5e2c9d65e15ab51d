import type { CompiledExpression } from '../../../semantics/admission/compile-expression.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';

/** The error of an expression that does not compile. `value`: as the object has it. */
export function expressionErrors(path: FieldPath, compiled: CompiledExpression, value = compiled.expression): FieldError[] {
  return compiled.ok ? [] : [invalid(path, value, compiled.error)];
}
