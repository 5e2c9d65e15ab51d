import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { ValidatingAdmissionPolicy } from '../../../types/admissionregistration-v1.ts';
import { invalid, required, tooMany } from '../../../validation/field-error.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';
import { formatParamKind, validatePolicy } from './policy-validation.ts';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const maxAuditAnnotations = 20;

/** Expressions (CEL) that requests have to satisfy. */
export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  subresources: {
    status: { kind: 'ValidatingAdmissionPolicy', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'validatingadmissionpolicies',
  formerVersions: ['v1beta1'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    integerColumn('Validations', ({ spec }) => spec?.validations?.length ?? 0),
    textColumn('ParamKind', ({ spec }) => formatParamKind(spec?.paramKind)),
    ageColumn,
  ],
  validate({ spec = {} }, path) {
    const at = path.child('spec');
    const { validations = [], auditAnnotations = [] } = spec;
    const errors = validatePolicy(spec, at);
    const missing = 'validations or auditAnnotations must be non-empty; at least one is required';
    if (validations.length === 0 && auditAnnotations.length === 0)
      errors.push(required(at.child('validations'), missing), required(at.child('auditAnnotations'), missing));
    errors.push(
      ...validateEach(validations, at.child('validations'), ({ expression, message, reason }, validation) => {
        const problems = expression?.trim() ? [] : [required(validation.child('expression'), 'expression is not specified')];
        if (message !== undefined && message !== '' && message.trim() === '') {
          problems.push(invalid(validation.child('message'), message, 'message must be non-empty if specified'));
        } else if (message?.includes('\n'))
          problems.push(invalid(validation.child('message'), message, 'message must not contain line breaks'));
        if (reason !== undefined) problems.push(...validateChoice(validation.child('reason'), reason, reasons, 'unsupported'));
        return problems;
      }),
    );
    if (auditAnnotations.length > maxAuditAnnotations)
      errors.push(tooMany(at.child('auditAnnotations'), auditAnnotations.length, maxAuditAnnotations));
    return [
      ...errors,
      ...validateEach(auditAnnotations, at.child('auditAnnotations'), ({ key, valueExpression }, annotation) => [
        ...(key ? invalidFor(annotation.child('key'), key, qualifiedNameProblems(key)) : [required(annotation.child('key'))]),
        ...(valueExpression?.trim() ? [] : [required(annotation.child('valueExpression'), 'valueExpression is not specified')]),
      ]),
    ];
  },
});
