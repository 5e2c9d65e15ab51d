import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { AnswerMissing, type AuthorizationQuestion } from '../../cel/libraries/authorizer.ts';
import type { MatchCondition, MutatingAdmissionPolicySpec, ValidatingAdmissionPolicySpec } from '../../types/admissionregistration-v1.ts';
import {
  type CompiledMutatingPolicy,
  type CompiledValidatingPolicy,
  compileMutatingPolicy,
  compileValidatingPolicy,
} from './compile-policy.ts';
import type { AdmissionInput, CostSlice } from './evaluate-expression.ts';
import { evaluateMutation, type MutationResult } from './evaluate-mutation.ts';
import { evaluateValidatingPolicy, type PolicyResult } from './evaluate-policy.ts';
import { type CompiledConditions, compileMatchConditions, evaluateMatchConditions, type MatchResult } from './match-conditions.ts';

/** An evaluation of admission expressions; all of it can be sent to another thread. */
export type AdmissionTask =
  | {
      readonly kind: 'conditions';
      readonly conditions: readonly DeepReadonly<MatchCondition>[];
      readonly hasParams: boolean;
      readonly ignoresFailures: boolean;
    }
  | { readonly kind: 'validate'; readonly spec: DeepReadonly<ValidatingAdmissionPolicySpec> }
  /** One mutation of a policy. */
  | { readonly kind: 'mutate'; readonly spec: DeepReadonly<MutatingAdmissionPolicySpec>; readonly index: number };

/** The results of tasks by their kind. */
export interface AdmissionResults {
  readonly conditions: MatchResult & { readonly errors: number };
  readonly validate: PolicyResult;
  readonly mutate: MutationResult;
}

export type AdmissionTaskOf<K extends keyof AdmissionResults> = Extract<AdmissionTask, { readonly kind: K }>;

/** The result, or a question that the authorizer has to answer first. */
export type AdmissionAnswer<K extends keyof AdmissionResults = keyof AdmissionResults> =
  | { readonly result: AdmissionResults[K] }
  | { readonly missing: AuthorizationQuestion };

/** Expressions are compiled once for each object that holds them. */
const conditionsOf = new WeakMap<object, CompiledConditions>();
const validatingOf = new WeakMap<object, CompiledValidatingPolicy>();
const mutatingOf = new WeakMap<object, CompiledMutatingPolicy>();

function compiled<K extends object, T>(kept: WeakMap<object, T>, key: K, compile: (key: K) => T): T {
  let found = kept.get(key);
  if (found === undefined) kept.set(key, (found = compile(key)));
  return found;
}

/** Evaluates a task. Throws SliceSpent. */
export function performAdmissionTask<K extends keyof AdmissionResults>(
  task: AdmissionTaskOf<K>,
  input: AdmissionInput,
  options: { readonly slice: CostSlice; readonly nowMs: () => number },
): AdmissionAnswer<K> {
  try {
    // The result is that of the task's kind.
    return { result: evaluate(task, input, options) as AdmissionResults[K] };
  } catch (error) {
    if (error instanceof AnswerMissing) return { missing: error.question };
    throw error;
  }
}

function evaluate(
  task: AdmissionTask,
  input: AdmissionInput,
  options: { readonly slice: CostSlice; readonly nowMs: () => number },
): AdmissionResults[keyof AdmissionResults] {
  switch (task.kind) {
    case 'conditions': {
      const { conditions, hasParams, ignoresFailures } = task;
      const scope = { hasParams, hasAuthorizer: true };
      const { slice } = options;
      return evaluateMatchConditions(
        compiled(conditionsOf, conditions, () => compileMatchConditions(conditions, scope)),
        input,
        { slice, ignoresFailures },
      );
    }
    case 'validate':
      return evaluateValidatingPolicy(compiled(validatingOf, task.spec, compileValidatingPolicy), input, options);
    case 'mutate':
      return evaluateMutation(compiled(mutatingOf, task.spec, compileMutatingPolicy), task.index, input, options);
  }
}
