import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { boolType } from '../../cel/types/types.ts';
import type { MatchCondition } from '../../types/admissionregistration-v1.ts';
import { type CompiledExpression, compileExpression, type ExpressionScope } from './compile-expression.ts';
import {
  type AdmissionInput,
  type CompiledVariables,
  type CostMeter,
  type CostSlice,
  createScope,
  evaluateExpression,
  matchConditionsCostBudget,
  OutOfBudget,
} from './evaluate-expression.ts';

/** Compiled matchConditions of a webhook or a policy. */
export type CompiledConditions = readonly { readonly name: string; readonly expression: CompiledExpression }[];

export function compileMatchConditions(
  conditions: readonly DeepReadonly<MatchCondition>[] | undefined,
  scope: ExpressionScope,
): CompiledConditions {
  return (conditions ?? []).map(({ name, expression }) => ({ name, expression: compileExpression(expression, scope, [boolType]) }));
}

export type MatchResult =
  | { readonly kind: 'matches' }
  /** `condition` is the false condition. It is absent where conditions could not be evaluated and the failure is ignored. */
  | { readonly kind: 'excluded'; readonly condition?: string }
  | { readonly kind: 'failed'; readonly error: string };

/**
 * Whether a request passes all conditions. A false condition excludes the request, even if others cannot be evaluated. @throws SliceSpent,
 * AnswerMissing
 */
export function evaluateMatchConditions(
  conditions: CompiledConditions,
  input: AdmissionInput,
  options: { readonly slice: CostSlice; readonly ignoresFailures: boolean; readonly variables?: CompiledVariables },
): MatchResult & { readonly errors: number } {
  const meter: CostMeter = { remaining: matchConditionsCostBudget, slice: options.slice };
  const scope = createScope(input, meter, { hasAuthorizer: true, ...(options.variables ? { variables: options.variables } : {}) });
  const errors: string[] = [];
  const finish = (result: MatchResult) => ({ ...result, errors: errors.length });
  const fail = (error: string) => finish(options.ignoresFailures ? { kind: 'excluded' } : { kind: 'failed', error });
  try {
    // All conditions are evaluated before the result is decided, since they share a budget.
    const results = conditions.map(({ name, expression }) => ({ name, result: evaluateExpression(expression, scope, meter) }));
    for (const { name, result } of results) {
      if (!result.ok) errors.push(result.error);
      else if (result.value === false) return finish({ kind: 'excluded', condition: name });
    }
  } catch (error) {
    if (error instanceof OutOfBudget) return fail(error.message);
    throw error;
  }
  if (errors.length === 0) return finish({ kind: 'matches' });
  const distinct = [...new Set(errors)];
  return fail(distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? ''));
}
