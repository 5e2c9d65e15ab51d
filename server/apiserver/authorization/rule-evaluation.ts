import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { PolicyRule, Subject } from '../../../api/types/rbac-v1.ts';
import { serviceAccountUserName } from '../authentication/well-known.ts';
import type { AuthorizationAttributes } from './authorizer.ts';

export type Rule = DeepReadonly<PolicyRule>;

/** Whether a rule allows the request. */
export function ruleAllows(rule: Rule, asked: AuthorizationAttributes): boolean {
  if (!includes(rule.verbs, asked.verb)) return false;
  if (!asked.isResourceRequest) return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, asked.path));
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  return (
    includes(rule.apiGroups, asked.apiGroup) &&
    resourceMatches(rule.resources, resource, asked.subresource) &&
    nameMatches(rule.resourceNames, asked.name)
  );
}

function includes(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes('*') || values.includes(value));
}

/** A rule names resources as `pods`, `pods/log`, an asterisk (all, with subresources), or an asterisk before a subresource. */
function resourceMatches(resources: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (resources === undefined) return false;
  return includes(resources, resource) || (subresource !== '' && resources.includes(`*/${subresource}`));
}

function nameMatches(names: readonly string[] | undefined, name: string): boolean {
  return names === undefined || names.length === 0 || names.includes(name);
}

/** `*` matches anything, but only at the end. */
function pathMatches(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1));
}

/** Whether a binding's subject is this user. A service account without namespace is in that of the binding. */
export function subjectIncludes(subject: DeepReadonly<Subject>, user: UserInfo, bindingNamespace: string): boolean {
  if (subject.kind === 'User') return subject.name === user.name;
  if (subject.kind === 'Group') return user.groups.includes(subject.name);
  if (subject.kind !== 'ServiceAccount') return false;
  const namespace = subject.namespace || bindingNamespace;
  return namespace !== '' && user.name === serviceAccountUserName(namespace, subject.name);
}

/**
 * The rules of `wanted` that `owned` does not cover, taken apart into their smallest pieces: permissions that a holder of
 * `owned` must not grant.
 */
export function uncoveredRules(owned: readonly Rule[], wanted: readonly Rule[]): PolicyRule[] {
  const missing: PolicyRule[] = [];
  for (const rule of wanted) {
    for (const piece of splitRule(rule)) if (!owned.some((candidate) => ruleCovers(candidate, piece))) missing.push(piece);
  }
  return missing;
}

/** Splits a rule into rules with one verb and one resource (of one name) or path each. */
function splitRule(rule: Rule): PolicyRule[] {
  const pieces: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const apiGroup of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const base = { apiGroups: [apiGroup], resources: [resource], verbs: [verb] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) pieces.push(base);
        for (const name of names) pieces.push({ ...base, resourceNames: [name] });
      }
    }
    for (const path of rule.nonResourceURLs ?? []) pieces.push({ nonResourceURLs: [path], verbs: [verb] });
  }
  return pieces;
}

function ruleCovers(owner: Rule, piece: PolicyRule): boolean {
  if (!piece.verbs.every((verb) => includes(owner.verbs, verb))) return false;
  const paths = piece.nonResourceURLs ?? [];
  if (paths.length > 0) return paths.every((path) => (owner.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, path)));
  const names = piece.resourceNames ?? [];
  const ownedNames = owner.resourceNames ?? [];
  const coversNames = ownedNames.length === 0 || (names.length > 0 && names.every((name) => ownedNames.includes(name)));
  return (
    coversNames &&
    (piece.apiGroups ?? []).every((group) => includes(owner.apiGroups, group)) &&
    (piece.resources ?? []).every((resource) => resourceMatches(owner.resources, resource, resource.split('/')[1] ?? ''))
  );
}

/** A rule as messages about missing permissions show it: `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`. */
export function formatRule(rule: Rule): string {
  const parts: string[] = [];
  const add = (label: string, values: readonly string[] | undefined) => {
    if (values && values.length > 0) parts.push(`${label}:[${values.map((value) => JSON.stringify(value)).join(' ')}]`);
  };
  add('APIGroups', rule.apiGroups);
  add('Resources', rule.resources);
  add('ResourceNames', rule.resourceNames);
  add('NonResourceURLs', rule.nonResourceURLs);
  add('Verbs', rule.verbs);
  return `{${parts.join(', ')}}`;
}

/** Joins rules for the same resources and names into one with all their verbs, as lists of missing permissions show them. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);
    const known = merged.get(key);
    if (known) known.verbs = [...new Set([...known.verbs, ...rule.verbs])];
    else merged.set(key, { ...rule, verbs: [...rule.verbs] });
  }
  return [...merged.values()];
}
