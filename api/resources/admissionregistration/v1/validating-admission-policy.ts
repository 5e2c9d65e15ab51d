import { repeatedIndexes } from '../../../base/repeats.ts';
import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { ValidatingAdmissionPolicy } from '../../../types/admissionregistration-v1.ts';
import { duplicate, invalid, required } from '../../../validation/field-error.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';
import { formatParamKind, validatePolicy } from './policy-validation.ts';
import { notEnforced } from './not-enforced.ts';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
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
  warnings: () => notEnforced('ValidatingAdmissionPolicy', 'evaluate admission policies'),
  validate({ metadata, spec = {} }, path) {
    const at = path.child('spec');
    const { validations = [], auditAnnotations = [] } = spec;
    const errors = validatePolicy(spec, at);
    const missing = 'validations or auditAnnotations must contain at least one item';
    if (validations.length === 0 && auditAnnotations.length === 0)
      errors.push(required(at.child('validations'), missing), required(at.child('auditAnnotations'), missing));
    errors.push(
      ...validateEach(validations, at.child('validations'), ({ expression, message, messageExpression, reason }, validation) => {
        const problems = expression?.trim() ? [] : [required(validation.child('expression'), 'expression is not specified')];
        if (message !== undefined && message !== '' && message.trim() === '') {
          problems.push(invalid(validation.child('message'), message, 'message must be non-empty if specified'));
        } else if (message?.includes('\n'))
          problems.push(invalid(validation.child('message'), message, 'message must not contain line breaks'));
        if (messageExpression && messageExpression.trim() === '')
          problems.push(invalid(validation.child('messageExpression'), messageExpression, 'must be non-empty if specified'));
        if (reason !== undefined) problems.push(...validateChoice(validation.child('reason'), reason, reasons, 'unsupported'));
        return problems;
      }),
    );
    const annotationsPath = at.child('auditAnnotations');
    if (auditAnnotations.length > maxAuditAnnotations)
      errors.push(invalid(annotationsPath, auditAnnotations, `must not have more than ${maxAuditAnnotations} auditAnnotations`));
    // The audit annotations have this name.
    const fullName = (key: string) => `${metadata.name ?? ''}/${key}`;
    const repeated = repeatedIndexes(auditAnnotations.map(({ key }) => key));
    return [
      ...errors,
      ...validateEach(auditAnnotations, annotationsPath, ({ key, valueExpression }, annotation, index) => [
        ...invalidFor(annotation.child('key'), fullName(key), qualifiedNameProblems(fullName(key))),
        ...(repeated.has(index) ? [duplicate(annotation.child('key'), key)] : []),
        ...(valueExpression?.trim() ? [] : [required(annotation.child('valueExpression'), 'valueExpression is not specified')]),
      ]),
    ];
  },
});
