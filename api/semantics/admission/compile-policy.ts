import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { boolType, type CELType, listType, nullType, stringType } from '../../cel/types/types.ts';
import type {
  Mutation,
  MutatingAdmissionPolicySpec,
  ValidatingAdmissionPolicySpec,
  Variable,
} from '../../types/admissionregistration-v1.ts';
import {
  type CompiledExpression,
  compileExpression,
  compileVariable,
  createVariableTypes,
  type ExpressionScope,
} from './compile-expression.ts';
import type { CompiledVariables } from './evaluate-expression.ts';
import { type CompiledConditions, compileMatchConditions } from './match-conditions.ts';
import { applyConfigurationType, jsonPatchType } from './patch-types.ts';

/** The result types of expressions, by their purpose. */
export const validationResults: readonly CELType[] = [boolType];
export const messageResults: readonly CELType[] = [stringType];
export const annotationResults: readonly CELType[] = [stringType, nullType];

export interface CompiledValidatingPolicy {
  readonly ignoresFailures: boolean;
  readonly variables: CompiledVariables;
  readonly conditions: CompiledConditions;
  readonly validations: readonly {
    readonly expression: CompiledExpression;
    readonly message: string;
    readonly messageExpression?: CompiledExpression;
    readonly reason: string;
  }[];
  readonly annotations: readonly { readonly key: string; readonly expression: CompiledExpression }[];
}

export interface CompiledMutatingPolicy {
  readonly ignoresFailures: boolean;
  readonly variables: CompiledVariables;
  readonly conditions: CompiledConditions;
  readonly mutations: readonly { readonly patchType: PatchType; readonly expression: CompiledExpression }[];
}

export type PatchType = 'ApplyConfiguration' | 'JSONPatch';

interface PolicyScope {
  readonly scope: ExpressionScope;
  readonly variables: CompiledVariables;
}

/** Compiles the variables in their order: each may read those before it. */
function compileVariables(variables: readonly DeepReadonly<Variable>[] | undefined, hasParams: boolean): PolicyScope {
  const scope: ExpressionScope = { hasParams, hasAuthorizer: true, variables: createVariableTypes() };
  const compiled = new Map<string, CompiledExpression>();
  for (const { name, expression } of variables ?? []) compiled.set(name, compileVariable(name, expression, scope));
  return { scope, variables: compiled };
}

/** Compiles a ValidatingAdmissionPolicy. An expression that does not compile fails when it is evaluated. */
export function compileValidatingPolicy(spec: DeepReadonly<ValidatingAdmissionPolicySpec>): CompiledValidatingPolicy {
  const { scope, variables } = compileVariables(spec.variables, spec.paramKind !== undefined);
  const messages: ExpressionScope = { ...scope, hasAuthorizer: false };
  return {
    ignoresFailures: spec.failurePolicy === 'Ignore',
    variables,
    conditions: compileMatchConditions(spec.matchConditions, scope),
    validations: (spec.validations ?? []).map(({ expression, message = '', messageExpression, reason = 'Invalid' }) => ({
      expression: compileExpression(expression, scope, validationResults),
      message,
      reason,
      ...(messageExpression ? { messageExpression: compileExpression(messageExpression, messages, messageResults) } : {}),
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compileExpression(valueExpression, scope, annotationResults),
    })),
  };
}

/** Compiles a MutatingAdmissionPolicy. An expression that does not compile fails when it is evaluated. */
export function compileMutatingPolicy(spec: DeepReadonly<MutatingAdmissionPolicySpec>): CompiledMutatingPolicy {
  const { scope, variables } = compileVariables(spec.variables, spec.paramKind !== undefined);
  return {
    ignoresFailures: spec.failurePolicy === 'Ignore',
    variables,
    conditions: compileMatchConditions(spec.matchConditions, scope),
    mutations: (spec.mutations ?? []).map((mutation) => compileMutation(mutation, { ...scope, hasPatchTypes: true })),
  };
}

export const patchResults: Readonly<Record<PatchType, readonly CELType[]>> = {
  ApplyConfiguration: [applyConfigurationType],
  JSONPatch: [listType(jsonPatchType)],
};

function compileMutation({ patchType, applyConfiguration, jsonPatch }: DeepReadonly<Mutation>, scope: ExpressionScope) {
  const type: PatchType = patchType === 'JSONPatch' ? 'JSONPatch' : 'ApplyConfiguration';
  const expression = (type === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression ?? '';
  return { patchType: type, expression: compileExpression(expression, scope, patchResults[type]) };
}
