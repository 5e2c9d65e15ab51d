import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { MutatingAdmissionPolicy } from '../../../types/admissionregistration-v1.ts';
import { type FieldError, forbidden, required } from '../../../validation/field-error.ts';
import { formatParamKind, validatePolicy } from './policy-validation.ts';
import { notEnforced } from './not-enforced.ts';

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
  warnings: () => notEnforced('MutatingAdmissionPolicy', 'evaluate admission policies'),
  validate({ spec = {} }, path) {
    const at = path.child('spec');
    const errors = validatePolicy(spec, at);
    const policy = at.child('reinvocationPolicy');
    if (!spec.reinvocationPolicy) errors.push(required(policy));
    else errors.push(...validateChoice(policy, spec.reinvocationPolicy, ['IfNeeded', 'Never'], 'unsupported'));
    if ((spec.mutations ?? []).length === 0)
      return [...errors, required(at.child('mutations'), 'mutations must contain at least one item')];
    return [
      ...errors,
      ...validateEach(spec.mutations, at.child('mutations'), ({ patchType, applyConfiguration, jsonPatch }, mutation) => {
        const problems: FieldError[] = patchType
          ? validateChoice(mutation.child('patchType'), patchType, ['ApplyConfiguration', 'JSONPatch'], 'unsupported')
          : [required(mutation.child('patchType'))];
        const [own, other] =
          patchType === 'JSONPatch' ? (['jsonPatch', 'applyConfiguration'] as const) : (['applyConfiguration', 'jsonPatch'] as const);
        const bodies = { applyConfiguration, jsonPatch };
        if (bodies[own] === undefined) problems.push(required(mutation.child(own), `must be specified when patchType is ${patchType}`));
        else if (!bodies[own].expression?.trim()) problems.push(required(mutation.child(own, 'expression'), 'expression is not specified'));
        if (bodies[other] !== undefined)
          problems.push(forbidden(mutation.child(other), `must not be specified when patchType is ${patchType}`));
        return problems;
      }),
    ];
  },
});
