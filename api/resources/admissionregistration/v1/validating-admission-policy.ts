import { repeatedIndexes } from '../../../base/repeats.ts';
import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { compileExpression, type ExpressionScope } from '../../../semantics/admission/compile-expression.ts';
import { annotationResults, messageResults, validationResults } from '../../../semantics/admission/compile-policy.ts';
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyStatus,
  Validation,
} from '../../../types/admissionregistration-v1.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { duplicate, type FieldError, invalid, required } from '../../../validation/field-error.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';
import { validateConditions } from './status-conditions.ts';
import { expressionErrors } from './expression-errors.ts';
import { formatParamKind, policyScope, validateChangedConditions, validatePolicy } from './policy-validation.ts';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const maxAuditAnnotations = 20;
const maxValueExpressionBytes = 5 * 1024;

/** Expressions (CEL) that requests have to satisfy. */
export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  resetFields: { status: [['spec'], ['metadata']] },
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
  validate({ metadata, spec = {} }, path, { operation }) {
    const at = path.child('spec');
    const { validations = [], auditAnnotations = [] } = spec;
    const scope = policyScope(spec, false);
    const errors = validatePolicy(spec, at, scope, operation === 'update');
    const missing = 'validations or auditAnnotations must contain at least one item';
    if (validations.length === 0 && auditAnnotations.length === 0)
      return [...errors, required(at.child('validations'), missing), required(at.child('auditAnnotations'), missing)];
    errors.push(...validateEach(validations, at.child('validations'), (validation, item) => validateValidation(validation, item, scope)));
    const annotationsPath = at.child('auditAnnotations');
    if (auditAnnotations.length > maxAuditAnnotations)
      errors.push(invalid(annotationsPath, auditAnnotations, `must not have more than ${maxAuditAnnotations} auditAnnotations`));
    const repeated = repeatedIndexes(auditAnnotations.map(({ key }) => key));
    return [
      ...errors,
      ...validateEach(auditAnnotations, annotationsPath, (annotation, item, index) => [
        ...validateAuditAnnotation(annotation, metadata.name ?? '', item, scope),
        ...(repeated.has(index) ? [duplicate(item.child('key'), annotation.key)] : []),
      ]),
    ];
  },
  validateUpdate: ({ spec = {} }, old, path) => validateChangedConditions(spec, old.spec, path.child('spec')),
  validateStatusUpdate: ({ status }, _old, path) => validateStatus(status, path.child('status')),
});

function validateValidation(
  { expression, message, messageExpression, reason }: DeepReadonly<Validation>,
  path: FieldPath,
  scope: ExpressionScope,
): FieldError[] {
  const errors = expression?.trim()
    ? expressionErrors(path.child('expression'), compileExpression(expression, scope, validationResults))
    : [required(path.child('expression'), 'expression is not specified')];
  const at = path.child('messageExpression');
  if (messageExpression && messageExpression.trim() === '') errors.push(invalid(at, messageExpression, 'must be non-empty if specified'));
  else if (messageExpression)
    errors.push(...expressionErrors(at, compileExpression(messageExpression, { ...scope, hasAuthorizer: false }, messageResults)));
  if (message && message.trim() === '') errors.push(invalid(path.child('message'), message, 'message must be non-empty if specified'));
  else if (message && /[\n\r]/.test(message.trim()))
    errors.push(invalid(path.child('message'), message, 'message must not contain line breaks'));
  if (reason !== undefined) errors.push(...validateChoice(path.child('reason'), reason, reasons, 'unsupported'));
  return errors;
}

function validateAuditAnnotation(
  { key, valueExpression = '' }: DeepReadonly<AuditAnnotation>,
  policy: string,
  path: FieldPath,
  scope: ExpressionScope,
): FieldError[] {
  // The audit annotations have this name.
  const fullName = `${policy}/${key}`;
  const errors = invalidFor(path.child('key'), fullName, qualifiedNameProblems(fullName));
  const at = path.child('valueExpression');
  const expression = valueExpression.trim();
  if (expression === '') return [...errors, required(at, 'valueExpression is not specified')];
  if (new TextEncoder().encode(expression).length > maxValueExpressionBytes)
    return [...errors, required(at, `must not exceed ${maxValueExpressionBytes} bytes in length`)];
  return [...errors, ...expressionErrors(at, compileExpression(expression, scope, annotationResults), valueExpression)];
}

function validateStatus(status: DeepReadonly<ValidatingAdmissionPolicyStatus> | undefined, path: FieldPath): FieldError[] {
  const at = path.child('typeChecking', 'expressionWarnings');
  return [
    ...validateEach(status?.typeChecking?.expressionWarnings, at, ({ fieldRef, warning }, item) => [
      ...(warning ? [] : [required(item.child('warning'))]),
      ...(fieldRef?.trim() ? [] : [required(item.child('fieldRef'))]),
    ]),
    ...validateConditions(status?.conditions, path.child('conditions')),
  ];
}
