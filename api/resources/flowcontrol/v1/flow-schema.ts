import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../../types/flowcontrol-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const maxPrecedence = 10_000;

/** FlowSchemas: the rules that assign requests to priority levels. */
export const flowSchemas = defineResource<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'FlowSchema', plural: 'flowschemas' },
  definition: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  resetFields: { status: [['spec'], ['metadata']] },
  subresources: {
    status: { kind: 'FlowSchema', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'flowschemas',
  formerVersions: ['v1beta3'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration?.name ?? ''),
    textColumn('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0),
    textColumn('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    textColumn('MissingPL', ({ status }) => {
      const dangling = (status?.conditions ?? []).find(({ type }) => type === 'Dangling');
      return dangling === undefined ? '?' : (dangling.status ?? '');
    }),
  ],
  validate({ metadata, spec }, path) {
    const at = path.child('spec');
    const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules } = spec ?? {};
    const errors: FieldError[] = [];
    const precedence = at.child('matchingPrecedence');
    if (matchingPrecedence <= 0) errors.push(invalid(precedence, matchingPrecedence, 'must be a positive value'));
    if (matchingPrecedence > maxPrecedence)
      errors.push(invalid(precedence, matchingPrecedence, `must not be greater than ${maxPrecedence}`));
    if (matchingPrecedence === 1 && metadata.name !== 'exempt') {
      errors.push(invalid(precedence, matchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
    }
    if (distinguisherMethod !== undefined) {
      errors.push(
        ...validateChoice(at.child('distinguisherMethod', 'type'), distinguisherMethod.type, ['ByNamespace', 'ByUser'], 'unsupported'),
      );
    }
    const level = priorityLevelConfiguration?.name ?? '';
    const levelPath = at.child('priorityLevelConfiguration', 'name');
    errors.push(
      ...(level === ''
        ? [required(levelPath, 'must reference a priority level')]
        : invalidFor(levelPath, level, dns1123SubdomainProblems(level))),
    );
    return [...errors, ...validateEach(rules, at.child('rules'), validateRule)];
  },
});

function validateRule(
  { subjects, resourceRules = [], nonResourceRules = [] }: DeepReadonly<PolicyRulesWithSubjects>,
  at: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if ((subjects ?? []).length === 0) errors.push(required(at.child('subjects'), 'subjects must contain at least one value'));
  errors.push(...validateEach(subjects, at.child('subjects'), validateSubject));
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  return [
    ...errors,
    ...validateEach(resourceRules, at.child('resourceRules'), validateResourceRule),
    ...validateEach(nonResourceRules, at.child('nonResourceRules'), validateNonResourceRule),
  ];
}

const subjectFields = [
  ['ServiceAccount', 'serviceAccount'],
  ['User', 'user'],
  ['Group', 'group'],
] as const;

function validateSubject(subject: DeepReadonly<Subject>, at: FieldPath): FieldError[] {
  const own = subjectFields.find(([kind]) => kind === subject.kind);
  if (own === undefined) return [notSupported(at.child('kind'), subject.kind ?? '', ['Group', 'ServiceAccount', 'User'])];
  const [kind, field] = own;
  const errors = subjectFields
    .filter(([, other]) => other !== field && subject[other] !== undefined)
    .map(([, other]) =>
      forbidden(
        at.child(other),
        `${other} is forbidden when subject kind is not '${subjectFields.find(([, name]) => name === other)?.[0]}'`,
      ),
    );
  const named = subject[field];
  if (named === undefined) return [...errors, required(at.child(field), `${field} is required when subject kind is '${kind}'`)];
  if (!named.name) errors.push(required(at.child(field, 'name')));
  if (!('namespace' in named)) return errors;
  const namespace = at.child(field, 'namespace');
  const problems = named.namespace ? invalidFor(namespace, named.namespace, dns1123LabelProblems(named.namespace)) : [];
  return [...errors, ...(named.namespace ? problems : [required(namespace, 'must specify namespace for service account')])];
}

function validateVerbs(given: readonly string[], path: FieldPath): FieldError[] {
  if (given.length === 0) return [required(path, 'verbs must contain at least one value')];
  if (given.includes('*')) return given.length > 1 ? [invalid(path, given, "if '*' is present, must not specify other verbs")] : [];
  return given.some((verb) => !verbs.includes(verb)) ? [notSupported(path, given, verbs)] : [];
}

const namespaceRule = "each member of this list must be '*' or a DNS-1123 label";

function validateResourceRule(rule: DeepReadonly<ResourcePolicyRule>, at: FieldPath): FieldError[] {
  const { apiGroups = [], resources = [], clusterScope } = rule;
  const namespaces = rule.namespaces ?? [];
  const errors = validateVerbs(rule.verbs ?? [], at.child('verbs'));
  if (apiGroups.length === 0) errors.push(required(at.child('apiGroups'), 'resource rules must supply at least one api group'));
  else if (apiGroups.length > 1 && apiGroups.includes('*')) {
    errors.push(invalid(at.child('apiGroups'), apiGroups, "if '*' is present, must not specify other api groups"));
  }
  if (resources.length === 0) errors.push(required(at.child('resources'), 'resource rules must supply at least one resource'));
  else if (resources.length > 1 && resources.includes('*')) {
    errors.push(invalid(at.child('resources'), resources, "if '*' is present, must not specify other resources"));
  }
  const path = at.child('namespaces');
  if (namespaces.length === 0 && !clusterScope)
    return [...errors, required(path, 'resource rules that are not cluster scoped must supply at least one namespace')];
  if (namespaces.includes('*')) {
    const isAlone = namespaces.length === 1;
    return isAlone ? errors : [...errors, invalid(path, namespaces, "if '*' is present, must not specify other namespaces")];
  }
  const named = validateEach(namespaces, path, (namespace, namespacePath) =>
    dns1123LabelProblems(namespace).map((problem) => invalid(namespacePath, namespace, `${namespaceRule}; ${problem}`)),
  );
  return [...errors, ...named];
}

function validateNonResourceRule(
  { verbs: given = [], nonResourceURLs = [] }: DeepReadonly<NonResourcePolicyRule>,
  at: FieldPath,
): FieldError[] {
  const errors = validateVerbs(given, at.child('verbs'));
  const urls = at.child('nonResourceURLs');
  if (nonResourceURLs.length === 0) return [...errors, required(urls, 'nonResourceURLs must contain at least one value')];
  if (nonResourceURLs.includes('*')) {
    const isAlone = nonResourceURLs.length === 1;
    const message = "if '*' is present, must not specify other non-resource URLs";
    return isAlone ? errors : [...errors, invalid(urls, nonResourceURLs, message)];
  }
  return [
    ...errors,
    ...validateEach(nonResourceURLs, urls, (url, urlPath) => {
      const problem = urlProblem(url);
      return problem === undefined ? [] : [invalid(urlPath, url, problem)];
    }),
  ];
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcards = url.split('*').length - 1;
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}
