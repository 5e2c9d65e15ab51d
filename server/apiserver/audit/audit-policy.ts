import type { AuthorizationAttributes } from '../authorization/authorizer.ts';
import {
  describeFieldErrors,
  type FieldError,
  formatShownErrors,
  invalid,
  notSupported,
  required,
} from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import { nameIsDNSSubdomain } from '../../../api/validation/names.ts';

/** How much of a request is recorded, ascending. */
export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];

/** When an event is recorded. */
const auditStages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof auditStages)[number];

/** A rule of a policy; absent lists match everything. */
interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** The decision of a policy on one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

/** The facts about a request that rules look at. */
type AuditAttributes = Omit<AuthorizationAttributes, 'fields' | 'labels'>;

/** The first rule that matches decides; where none does, nothing is recorded. */
export function decideAudit(policy: AuditPolicy, attributes: AuditAttributes): AuditDecision {
  const rule = policy.rules.find((one) => matches(one, attributes));
  if (rule === undefined) return unmatched;
  let decision = decisions.get(rule);
  if (decision === undefined) {
    decision = {
      level: rule.level,
      omitStages: new Set([...policy.omitStages, ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields,
    };
    decisions.set(rule, decision);
  }
  return decision;
}

const unmatched: AuditDecision = { level: 'None', omitStages: new Set(), omitManagedFields: false };
/** The decision of each rule, which belongs to one policy and never changes. */
const decisions = new WeakMap<AuditRule, AuditDecision>();

const includes = (list: readonly string[] | undefined, item: string) => !list?.length || list.includes(item);

function matches(rule: AuditRule, attributes: AuditAttributes): boolean {
  const { users, userGroups, verbs, namespaces, resources, nonResourceURLs } = rule;
  const { user, verb, isResourceRequest, namespace, path } = attributes;
  if (!includes(users, user.name) || !includes(verbs, verb)) return false;
  if (userGroups?.length && !user.groups.some((group) => userGroups.includes(group))) return false;
  if (namespaces?.length || resources?.length) {
    // For a resource without namespace the empty namespace is compared.
    if (!isResourceRequest || !includes(namespaces, namespace)) return false;
    return !resources?.length || resources.some((one) => matchesResource(one, attributes));
  }
  if (!nonResourceURLs?.length) return true;
  return !isResourceRequest && nonResourceURLs.some((url) => matchesPath(path, url));
}

function matchesResource({ group = '', resources, resourceNames }: GroupResources, attributes: AuditAttributes): boolean {
  if (group !== attributes.apiGroup) return false;
  if (!resources?.length) return true;
  if (!includes(resourceNames, attributes.name)) return false;
  const { resource, subresource } = attributes;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(
    (one) => one === '*' || one === whole || one === `${resource}/*` || (subresource !== '' && one === `*/${subresource}`),
  );
}

function matchesPath(path: string, url: string): boolean {
  return url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')));
}

const kindText = 'Policy of audit.k8s.io/v1';
const policyFields = ['apiVersion', 'kind', 'metadata', 'rules', 'omitStages', 'omitManagedFields'];
const ruleFields = [
  'level',
  'users',
  'userGroups',
  'verbs',
  'namespaces',
  'resources',
  'nonResourceURLs',
  'omitStages',
  'omitManagedFields',
];

/** Reads a policy file with upstream's rules. Throws everything that is wrong with it. */
export function parseAuditPolicy(document: unknown): AuditPolicy {
  const policy = fieldsOf(document, 'it', policyFields);
  if (policy['apiVersion'] !== 'audit.k8s.io/v1' || policy['kind'] !== 'Policy') throw new Error(`it is not a ${kindText}`);
  const rules = listOf(policy['rules'], 'rules').map((rule, index) => readRule(rule, `rules[${index}]`));
  if (rules.length === 0) throw new Error('it has no rules: with it nothing would be recorded');
  const omitStages = stringsOf(policy['omitStages'], 'omitStages') as AuditStage[];
  const root = FieldPath.root;
  const errors = [
    ...checkStages(omitStages, root.child('omitStages')),
    ...rules.flatMap((rule, index) => checkRule(rule, root.child('rules').index(index))),
  ];
  if (errors.length > 0) throw new Error(formatShownErrors(describeFieldErrors(errors)));
  return { rules, omitStages, omitManagedFields: policy['omitManagedFields'] === true };
}

function readRule(value: unknown, at: string): AuditRule {
  const rule = fieldsOf(value, at, ruleFields);
  const lists = ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs', 'omitStages'].map((name) => [
    name,
    stringsOf(rule[name], `${at}.${name}`),
  ]);
  const resources = listOf(rule['resources'], `${at}.resources`).map((one, index) => {
    const where = `${at}.resources[${index}]`;
    const fields = fieldsOf(one, where, ['group', 'resources', 'resourceNames']);
    return {
      group: String(fields['group'] ?? ''),
      resources: stringsOf(fields['resources'], `${where}.resources`),
      resourceNames: stringsOf(fields['resourceNames'], `${where}.resourceNames`),
    };
  });
  const omit = rule['omitManagedFields'];
  return {
    level: rule['level'] as AuditLevel,
    ...(Object.fromEntries(lists) as Omit<AuditRule, 'level'>),
    resources,
    ...(typeof omit === 'boolean' ? { omitManagedFields: omit } : {}),
  };
}

function checkRule(rule: AuditRule, path: FieldPath): FieldError[] {
  const { level, resources = [], namespaces = [], nonResourceURLs = [], omitStages = [] } = rule;
  const errors = checkStages(omitStages, path.child('omitStages'));
  if (!level) errors.push(required(path.child('level')));
  else if (!auditLevels.includes(level)) errors.push(notSupported(path.child('level'), level, [...auditLevels]));
  for (const [index, url] of nonResourceURLs.entries()) {
    const at = path.child('nonResourceURLs').index(index);
    if (url === '*') continue;
    if (!url.startsWith('/')) errors.push(invalid(at, url, "non-resource URL rules must begin with a '/' character"));
    if (url.slice(0, -1).includes('*'))
      errors.push(invalid(at, url, "non-resource URL wildcards '*' must be the final character of the rule"));
  }
  for (const { group = '', resources: names = [], resourceNames = [] } of resources) {
    const problems = group === '' ? [] : nameIsDNSSubdomain(group, false);
    if (problems.length > 0) errors.push(invalid(path.child('resources', 'group'), group, problems.join(',')));
    if (resourceNames.length > 0 && names.length === 0)
      errors.push(invalid(path.child('resources', 'resourceNames'), resourceNames, 'using resourceNames requires at least one resource'));
  }
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0))
    errors.push(
      invalid(path.child('nonResourceURLs'), nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'),
    );
  return errors;
}

function checkStages(stages: readonly string[], path: FieldPath): FieldError[] {
  return stages.flatMap((stage, index) =>
    (auditStages as readonly string[]).includes(stage)
      ? []
      : [invalid(path.index(index), stage, `allowed stages are ${auditStages.join(',')}`)],
  );
}

function fieldsOf(value: unknown, what: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) throw new Error(`${what} has the unknown field "${unknown}"`);
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value;
}

function stringsOf(value: unknown, what: string): string[] {
  const list = listOf(value, what);
  if (list.some((item) => typeof item !== 'string')) throw new Error(`${what} is not a list of strings`);
  return [...list] as string[];
}
