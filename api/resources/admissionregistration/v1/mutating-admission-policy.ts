import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { compileExpression, type ExpressionScope } from '../../../semantics/admission/compile-expression.ts';
import { patchResults, type PatchType } from '../../../semantics/admission/compile-policy.ts';
import type { Mutation, MutatingAdmissionPolicy } from '../../../types/admissionregistration-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../validation/field-error.ts';
import { expressionErrors } from './expression-errors.ts';
import { formatParamKind, policyScope, validateChangedConditions, validatePolicy } from './policy-validation.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** Expressions (CEL) that change requests. */
export const mutatingAdmissionPolicies = defineResource<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'MutatingAdmissionPolicy', plural: 'mutatingadmissionpolicies', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
  storagePrefix: 'mutatingadmissionpolicies',
  formerVersions: ['v1beta1'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    integerColumn('Mutations', ({ spec }) => spec?.mutations?.length ?? 0),
    textColumn('ParamKind', ({ spec }) => formatParamKind(spec?.paramKind)),
    ageColumn,
  ],
  validate({ spec = {} }, path, { operation }) {
    const at = path.child('spec');
    const scope = policyScope(spec, true);
    const errors = validatePolicy(spec, at, scope, operation === 'update');
    const operationsPath = at.child('matchConstraints', 'resourceRules', 'operations');
    for (const rule of spec.matchConstraints?.resourceRules ?? [])
      for (const one of rule.operations ?? []) if (!operations.includes(one)) errors.push(notSupported(operationsPath, one, operations));
    const mutations = at.child('mutations');
    if ((spec.mutations ?? []).length === 0) errors.push(required(mutations, 'mutations must contain at least one item'));
    const mutationScope: ExpressionScope = { ...scope, hasPatchTypes: true };
    errors.push(...validateEach(spec.mutations, mutations, (mutation, item) => validateMutation(mutation, item, mutationScope)));
    const policy = at.child('reinvocationPolicy');
    if (!spec.reinvocationPolicy) return [...errors, required(policy)];
    return [...errors, ...validateChoice(policy, spec.reinvocationPolicy, ['IfNeeded', 'Never'], 'unsupported')];
  },
  validateUpdate: ({ spec = {} }, old, path) => validateChangedConditions(spec, old.spec, path.child('spec')),
});

const fieldOf = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

function validateMutation(mutation: DeepReadonly<Mutation>, path: FieldPath, scope: ExpressionScope): FieldError[] {
  const { patchType } = mutation;
  if (!patchType) return [required(path.child('patchType'))];
  if (patchType !== 'JSONPatch' && patchType !== 'ApplyConfiguration')
    return validateChoice(path.child('patchType'), patchType, ['ApplyConfiguration', 'JSONPatch'], 'unsupported');
  const own = fieldOf[patchType];
  const other = fieldOf[patchType === 'JSONPatch' ? 'ApplyConfiguration' : 'JSONPatch'];
  const errors = validatePatchExpression(mutation[own]?.expression, patchType, path.child(own), mutation[own] !== undefined, scope);
  if (mutation[other] !== undefined)
    errors.push(invalid(path.child(other), `{${other}}`, `must not be specified when patchType is ${patchType}`));
  return errors;
}

function validatePatchExpression(
  given: string | undefined,
  patchType: PatchType,
  path: FieldPath,
  isThere: boolean,
  scope: ExpressionScope,
): FieldError[] {
  if (!isThere) return [required(path, `must be specified when patchType is ${patchType}`)];
  const expression = given?.trim();
  const at = path.child('expression');
  return expression ? expressionErrors(at, compileExpression(expression, scope, patchResults[patchType])) : [required(at)];
}
