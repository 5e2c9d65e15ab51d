import { repeatedIndexes } from '../../../base/repeats.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import { boolType } from '../../../cel/types/types.ts';
import { compileExpression } from '../../../semantics/admission/compile-expression.ts';
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../../../types/admissionregistration-v1.ts';
import { duplicate, type FieldError, invalid, notSupported, required, tooMany, hasEnoughErrors } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { pathSegmentNameProblems } from '../../../validation/names.ts';
import { expressionErrors } from './expression-errors.ts';
import { validateQualifiedName } from '../../core/v1/pod-spec/names.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const maxConditions = 64;

/** Validates which requests a webhook or policy is called for. */
export function validateRule(rule: DeepReadonly<RuleWithOperations>, at: FieldPath): FieldError[] {
  const { operations: given = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  const operationsPath = at.child('operations');
  const errors: FieldError[] = [];
  const alone = (values: readonly string[], path: FieldPath, subject: string) => {
    if (values.length > 1 && values.includes('*'))
      errors.push(invalid(path, values, `if '*' is present, must not specify other ${subject}`));
  };
  if (given.length === 0) errors.push(required(operationsPath));
  alone(given, operationsPath, 'operations');
  errors.push(
    ...validateEach(given, operationsPath, (operation, path) =>
      operations.includes(operation) ? [] : [notSupported(path, operation, operations)],
    ),
  );
  if (apiGroups.length === 0) errors.push(required(at.child('apiGroups')));
  alone(apiGroups, at.child('apiGroups'), 'API groups');
  if (apiVersions.length === 0) errors.push(required(at.child('apiVersions')));
  alone(apiVersions, at.child('apiVersions'), 'API versions');
  errors.push(...validateEach(apiVersions, at.child('apiVersions'), (version, path) => (version === '' ? [required(path)] : [])));
  errors.push(...validateResources(resources, at.child('resources')));
  if (scope !== undefined) errors.push(...validateChoice(at.child('scope'), scope, ['*', 'Cluster', 'Namespaced'], 'unsupported'));
  return errors;
}

/** The same, for some objects of the resources only. */
function validateNamedRule(rule: DeepReadonly<NamedRuleWithOperations>, at: FieldPath): FieldError[] {
  const names = rule.resourceNames ?? [];
  const repeated = repeatedIndexes(names);
  return [
    ...validateEach(names, at.child('resourceNames'), (name, path, index) => [
      ...invalidFor(path, name, pathSegmentNameProblems(name)),
      ...(repeated.has(index) ? [duplicate(path, name)] : []),
    ]),
    ...validateRule(rule, at),
  ];
}

/** Looks at them in their order, as upstream does: a wildcard speaks of those behind it. */
function validateResources(resources: readonly string[], path: FieldPath): FieldError[] {
  if (resources.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const [whole, everywhere] = [new Set<string>(), new Set<string>()];
  let lastIsPlain = false;
  for (const [index, name] of resources.entries()) {
    if (hasEnoughErrors(errors)) break;
    const at = path.index(index);
    if (name === '') errors.push(required(at));
    const slash = name.indexOf('/');
    if (slash < 0) {
      lastIsPlain = name !== '*';
      continue;
    }
    // x/* means all subresources of x, */y means the subresource y of all resources.
    const [resource, subresource] = [name.slice(0, slash), name.slice(slash + 1)];
    if (whole.has(resource)) errors.push(invalid(at, name, `if '${resource}/*' is present, must not specify ${name}`));
    if (everywhere.has(subresource)) errors.push(invalid(at, name, `if '*/${subresource}' is present, must not specify ${name}`));
    if (subresource === '*') whole.add(resource);
    if (resource === '*') everywhere.add(subresource);
  }
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && lastIsPlain)
    errors.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"));
  return errors;
}

/** Validates expressions that all have to hold. */
export function validateMatchConditions(
  conditions: readonly DeepReadonly<MatchCondition>[] | undefined,
  path: FieldPath,
  hasParams = false,
): FieldError[] {
  const names = new Set<string>();
  const errors = (conditions ?? []).length > maxConditions ? [tooMany(path, (conditions ?? []).length, maxConditions)] : [];
  return [
    ...errors,
    ...validateEach(conditions, path, ({ name, expression }, at) => {
      const trimmed = expression?.trim();
      const problems = trimmed
        ? expressionErrors(at.child('expression'), compileExpression(trimmed, { hasParams, hasAuthorizer: true }, [boolType]))
        : [required(at.child('expression'))];
      if (!name) problems.push(required(at.child('name')));
      else problems.push(...validateQualifiedName(at.child('name'), name));
      if (name && names.has(name)) problems.push(duplicate(at.child('name'), name));
      names.add(name);
      return problems;
    }),
  ];
}

/** Resources that a policy is about, or that a binding narrows it down to. */
export function validateMatchResources(resources: DeepReadonly<MatchResources>, path: FieldPath): FieldError[] {
  return [
    ...validateMatchPolicy(resources.matchPolicy, path.child('matchPolicy')),
    ...validateLabelSelector(resources.namespaceSelector, path.child('namespaceSelector')),
    ...validateLabelSelector(resources.objectSelector, path.child('objectSelector')),
    ...validateEach(resources.resourceRules, path.child('resourceRules'), validateNamedRule),
    ...validateEach(resources.excludeResourceRules, path.child('excludeResourceRules'), validateNamedRule),
  ];
}

export function validateMatchPolicy(policy: string | undefined, path: FieldPath): FieldError[] {
  return policy === undefined ? [required(path)] : validateChoice(path, policy, ['Equivalent', 'Exact'], 'unsupported');
}
