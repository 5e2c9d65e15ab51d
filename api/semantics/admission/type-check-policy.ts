import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { compileCEL } from '../../cel/compile-cel.ts';
import { type CELType, dynType } from '../../cel/types/types.ts';
import type { ExpressionWarning, ValidatingAdmissionPolicySpec } from '../../types/admissionregistration-v1.ts';
import { createAdmissionEnvironment, createVariableTypes, declareVariable, type ExpressionScope } from './compile-expression.ts';

/** A kind that a policy matches, with the type of its objects. */
export interface CheckedKind {
  /** As Kubernetes prints it: `apps/v1, Kind=Deployment`. */
  readonly name: string;
  readonly type: CELType;
}

/**
 * Type-checks the validations of a policy and their messages against every kind that it matches. The warnings appear in status.typeChecking
 * and have no effect on the policy. @param params the type of parameters, if it is known
 */
export function typeCheckPolicy(
  spec: DeepReadonly<ValidatingAdmissionPolicySpec>,
  kinds: readonly CheckedKind[],
  params: CELType | undefined,
): ExpressionWarning[] {
  const environments = kinds.map(({ name, type }) => ({ name, environment: typedEnvironment(spec, type, params) }));
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, expression: string) => {
    const problems = environments.flatMap(({ name, environment }) => {
      const compiled = compileCEL(expression, environment);
      return compiled.ok ? [] : [`${name}: ${compiled.message}\n`];
    });
    if (problems.length > 0) warnings.push({ fieldRef, warning: problems.join('\n') });
  };
  for (const [index, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    check(`spec.validations[${index}].expression`, expression);
    if (messageExpression) check(`spec.validations[${index}].messageExpression`, messageExpression);
  }
  return warnings;
}

function typedEnvironment(spec: DeepReadonly<ValidatingAdmissionPolicySpec>, object: CELType, params: CELType | undefined) {
  const scope: ExpressionScope = { hasParams: params !== undefined, hasAuthorizer: true, variables: createVariableTypes() };
  const environment = createAdmissionEnvironment(scope, { object, ...(params ? { params } : {}) });
  for (const { name, expression } of spec.variables ?? []) {
    const compiled = compileCEL(expression, environment);
    declareVariable(scope, name, compiled.ok ? compiled.program.outputType : dynType);
  }
  return environment;
}
