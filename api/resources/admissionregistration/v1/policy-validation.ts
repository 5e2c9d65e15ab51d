import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { invalidFor, validateChoice, validateEach, validateRequired } from '../../../resource/field-rules.ts';
import { compileVariable, createVariableTypes, type ExpressionScope } from '../../../semantics/admission/compile-expression.ts';
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../../../types/admissionregistration-v1.ts';
import { type FieldError, forbidden, invalid, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems, pathSegmentNameProblems } from '../../../validation/names.ts';
import { expressionErrors } from './expression-errors.ts';
import { validateMatchConditions, validateMatchResources } from './rule-validation.ts';

/** The fields that policies of both sorts share. */
interface PolicySpec {
  readonly failurePolicy?: string;
  readonly paramKind?: DeepReadonly<ParamKind>;
  readonly matchConstraints?: DeepReadonly<MatchResources>;
  readonly matchConditions?: readonly DeepReadonly<MatchCondition>[];
  readonly variables?: readonly DeepReadonly<Variable>[];
}

/** The scope of a policy's expressions, before its variables are declared. */
export function policyScope({ paramKind, variables = [] }: PolicySpec, alwaysHasVariables: boolean): ExpressionScope {
  const hasVariables = alwaysHasVariables || variables.length > 0;
  return { hasParams: paramKind !== undefined, hasAuthorizer: true, ...(hasVariables ? { variables: createVariableTypes() } : {}) };
}

/** Validates matchConditions that an update changes. */
export function validateChangedConditions(spec: PolicySpec, old: PolicySpec | undefined, path: FieldPath): FieldError[] {
  if (hasSameConditions(spec, old)) return [];
  return validateMatchConditions(spec.matchConditions, path.child('matchConditions'), spec.paramKind !== undefined);
}

/**
 * Validates them, and declares the variables in the scope of the policy's expressions.
 * @param isUpdate whether matchConditions are left to validateChangedConditions
 */
export function validatePolicy(spec: PolicySpec, path: FieldPath, scope: ExpressionScope, isUpdate: boolean): FieldError[] {
  const { failurePolicy, paramKind, matchConstraints } = spec;
  const errors =
    failurePolicy === undefined
      ? [required(path.child('failurePolicy'))]
      : validateChoice(path.child('failurePolicy'), failurePolicy, ['Fail', 'Ignore'], 'unsupported');
  if (paramKind !== undefined) errors.push(...validateParamKind(paramKind, path.child('paramKind')));
  const at = path.child('matchConstraints');
  if (matchConstraints === undefined) errors.push(required(at));
  else {
    errors.push(...validateMatchResources(matchConstraints, at));
    // Only the policy must name resources; the binding need not.
    if ((matchConstraints.resourceRules ?? []).length === 0) errors.push(required(at.child('resourceRules')));
  }
  return [
    ...errors,
    ...(isUpdate ? [] : validateMatchConditions(spec.matchConditions, path.child('matchConditions'), scope.hasParams)),
    ...validateEach(spec.variables, path.child('variables'), ({ name, expression }, variable) => {
      const problems = name?.trim()
        ? isCELName(name)
          ? []
          : [invalid(variable.child('name'), name, 'name is not a valid CEL identifier')]
        : [required(variable.child('name'), 'name is not specified')];
      const at = variable.child('expression');
      return expression?.trim()
        ? [...problems, ...expressionErrors(at, compileVariable(name, expression, scope))]
        : [...problems, required(at, 'expression is not specified')];
    }),
  ];
}

/** Whether an update leaves the matchConditions and the fields that they use unchanged. */
function hasSameConditions(spec: PolicySpec, old: PolicySpec | undefined): boolean {
  const conditions = (of: PolicySpec | undefined) => [of?.paramKind ?? null, of?.matchConditions ?? []];
  return isSemanticallyEqual(conditions(spec), conditions(old));
}

/** Words of the language, or kept for it. */
const celWords: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(' '),
);

function isCELName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !celWords.has(name);
}

function validateParamKind({ apiVersion = '', kind }: DeepReadonly<ParamKind>, path: FieldPath): FieldError[] {
  const at = path.child('apiVersion');
  const errors: FieldError[] = [];
  const [group = '', version, ...rest] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (apiVersion === '') errors.push(required(at));
  else if (rest.length > 0) errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    if (group !== '') errors.push(...invalidFor(at, group, dns1123SubdomainProblems(group)));
    errors.push(...validateRequired(at, version, dns1035LabelProblems));
  }
  return [...errors, ...validateRequired(path.child('kind'), kind, mixedCaseProblems)];
}

function mixedCaseProblems(kind: string): string[] {
  return dns1035LabelProblems(kind.toLowerCase()).map((problem) => `may have mixed case, but should otherwise match: ${problem}`);
}

/** Validates the fields that bindings of both sorts share. */
export function validateBindingTarget(
  spec:
    | { readonly policyName?: string; readonly paramRef?: DeepReadonly<ParamRef>; readonly matchResources?: DeepReadonly<MatchResources> }
    | undefined,
  path: FieldPath,
): FieldError[] {
  const errors = validateRequired(path.child('policyName'), spec?.policyName, dns1123SubdomainProblems);
  if (spec?.paramRef !== undefined) errors.push(...validateParamRef(spec.paramRef, path.child('paramRef')));
  if (spec?.matchResources !== undefined) errors.push(...validateMatchResources(spec.matchResources, path.child('matchResources')));
  return errors;
}

function validateParamRef({ name = '', selector, parameterNotFoundAction }: DeepReadonly<ParamRef>, path: FieldPath): FieldError[] {
  const errors = name === '' ? [] : invalidFor(path.child('name'), name, pathSegmentNameProblems(name));
  if (name !== '' && selector !== undefined)
    for (const field of ['name', 'selector']) errors.push(forbidden(path.child(field), 'name and selector are mutually exclusive'));
  if (name === '' && selector === undefined) errors.push(required(path, 'one of name or selector must be specified'));
  errors.push(...validateLabelSelector(selector, path.child('selector')));
  const at = path.child('parameterNotFoundAction');
  if (!parameterNotFoundAction) errors.push(required(at));
  else errors.push(...validateChoice(at, parameterNotFoundAction, ['Deny', 'Allow'], 'unsupported'));
  return errors;
}

/** The objects that parametrise a policy, as tables show them. */
export function formatParamRef(reference: DeepReadonly<ParamRef> | undefined): string {
  if (reference?.name) return `${reference.namespace || '*'}/${reference.name}`;
  return reference?.selector === undefined ? '<unset>' : JSON.stringify(reference.selector);
}

export function formatParamKind(kind: DeepReadonly<ParamKind> | undefined): string {
  return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;
}
