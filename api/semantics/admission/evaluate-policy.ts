import {
  type AdmissionInput,
  type CostMeter,
  type CostSlice,
  createScope,
  evaluateExpression,
  type ExpressionResult,
  OutOfBudget,
  policyCostBudget,
} from './evaluate-expression.ts';
import type { CompiledValidatingPolicy } from './compile-policy.ts';
import { evaluateMatchConditions } from './match-conditions.ts';
import { typeName } from '../../cel/types/values.ts';

/** The verdict of one validation. */
export interface Decision {
  readonly action: 'admit' | 'deny';
  readonly evaluation: 'admit' | 'deny' | 'error';
  readonly message: string;
  /** '' where the expression failed. */
  readonly reason: string;
  readonly seconds: number;
}

/**
 * The value of one audit annotation, or the reason why there is none. Annotations that are empty, null or ignored failures are left out.
 */
export type AuditAnnotationResult =
  | { readonly kind: 'value'; readonly key: string; readonly value: string }
  | { readonly kind: 'error'; readonly error: string; readonly seconds: number };

export interface PolicyResult {
  readonly decisions: readonly Decision[];
  readonly annotations: readonly AuditAnnotationResult[];
}

const maxMessageBytes = 5 * 1024;
const nothing: PolicyResult = { decisions: [], annotations: [] };

/**
 * Evaluates a policy for one request, one binding and one parameter.
 * @throws SliceSpent, AnswerMissing
 */
export function evaluateValidatingPolicy(
  policy: CompiledValidatingPolicy,
  input: AdmissionInput,
  options: { readonly slice: CostSlice; readonly nowMs: () => number },
): PolicyResult {
  const { ignoresFailures, variables } = policy;
  const failed = (message: string, seconds = 0): Decision => ({
    action: ignoresFailures ? 'admit' : 'deny',
    evaluation: 'error',
    message,
    reason: '',
    seconds,
  });
  const { slice } = options;
  if (policy.conditions.length > 0) {
    const match = evaluateMatchConditions(policy.conditions, input, { slice, ignoresFailures, variables });
    if (match.kind === 'failed') return { decisions: [failed(match.error)], annotations: [] };
    if (match.kind === 'excluded') return nothing;
  }
  const meter: CostMeter = { remaining: policyCostBudget, slice };
  try {
    const decisions = decide(policy, input, meter, { failed, nowMs: options.nowMs });
    // Audit annotations have their own cost budget.
    meter.remaining = policyCostBudget;
    return { decisions, annotations: annotate(policy, input, meter, options.nowMs) };
  } catch (error) {
    if (error instanceof OutOfBudget) return { decisions: [failed(error.message)], annotations: [] };
    throw error;
  }
}

interface Deciding {
  readonly nowMs: () => number;
  failed(message: string, seconds?: number): Decision;
}

function decide(policy: CompiledValidatingPolicy, input: AdmissionInput, meter: CostMeter, { failed, nowMs }: Deciding): Decision[] {
  const { variables, validations } = policy;
  const scope = createScope(input, meter, { variables, hasAuthorizer: true });
  let sinceMs = nowMs();
  const results = validations.map(({ expression }) => {
    const result = evaluateExpression(expression, scope, meter);
    const untilMs = nowMs();
    const seconds = (untilMs - sinceMs) / 1000;
    sinceMs = untilMs;
    return { result, seconds };
  });
  const messages = evaluateMessages(policy, input, meter);
  return results.map(({ result, seconds }, index) => {
    if (!result.ok) return failed(result.error, seconds);
    if (typeof messages === 'string') return failed(`failed messageExpression: ${messages}`, seconds);
    if (result.value === true) return { action: 'admit', evaluation: 'admit', message: '', reason: '', seconds };
    const validation = validations[index];
    const message =
      messageOf(messages[index]) || validation?.message.trim() || `failed expression: ${validation?.expression.expression.trim()}`;
    return { action: 'deny', evaluation: 'deny', message, reason: validation?.reason ?? '', seconds };
  });
}

/** The messages by validation, or why none could be evaluated. */
function evaluateMessages(
  { validations, variables }: CompiledValidatingPolicy,
  input: AdmissionInput,
  meter: CostMeter,
): (ExpressionResult | undefined)[] | string {
  const scope = createScope(input, meter, { variables, hasAuthorizer: false });
  try {
    return validations.map(({ messageExpression }) => messageExpression && evaluateExpression(messageExpression, scope, meter));
  } catch (error) {
    if (error instanceof OutOfBudget) return error.message;
    throw error;
  }
}

/** An evaluated message that can be shown; '' where there is none. */
function messageOf(result: ExpressionResult | undefined): string {
  if (result?.ok !== true || typeof result.value !== 'string') return '';
  const message = result.value.trim();
  const isTooLong = message.length > maxMessageBytes || new TextEncoder().encode(message).length > maxMessageBytes;
  return isTooLong || message.includes('\n') ? '' : message;
}

function annotate(
  { annotations, variables, ignoresFailures }: CompiledValidatingPolicy,
  input: AdmissionInput,
  meter: CostMeter,
  nowMs: () => number,
): AuditAnnotationResult[] {
  if (annotations.length === 0) return [];
  // As in Kubernetes, annotations compile with an authorizer and are evaluated without one.
  const scope = createScope(input, meter, { variables, hasAuthorizer: false });
  return annotations.flatMap(({ key, expression }): AuditAnnotationResult[] => {
    const sinceMs = nowMs();
    const result = evaluateExpression(expression, scope, meter);
    const error = (text: string): AuditAnnotationResult[] => [{ kind: 'error', error: text, seconds: (nowMs() - sinceMs) / 1000 }];
    if (!result.ok) return ignoresFailures ? [] : error(result.error);
    if (result.value === null) return [];
    if (typeof result.value !== 'string')
      return error(
        `valueExpression '${expression.expression}' resulted in unsupported return type: ${typeName(result.value)}. Return type must be either string or null.`,
      );
    const value = result.value.trim();
    return value === '' ? [] : [{ kind: 'value', key, value }];
  });
}
