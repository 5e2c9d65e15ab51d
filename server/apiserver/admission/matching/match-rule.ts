import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { NamedRuleWithOperations } from '../../../../api/types/admissionregistration-v1.ts';

/** A rule of a webhook or a policy: operations, API groups, versions and resources, each with `*` for all. */
export type MatchRule = DeepReadonly<NamedRuleWithOperations>;

/** The part of a request that rules look at. */
export interface RuleSubject {
  readonly operation: string;
  readonly group: string;
  readonly version: string;
  /** The plural. */
  readonly resource: string;
  readonly subresource: string;
  /** As namespaceOf gives it. */
  readonly namespace: string;
  readonly name: string;
}

/** Whether a rule applies. `resourceNames` that are empty allow every name. */
export function matchesRule(rule: MatchRule, subject: RuleSubject): boolean {
  const { operations, apiGroups, apiVersions, resources, resourceNames = [] } = rule;
  return (
    matchesScope(rule, subject) &&
    includes(operations, subject.operation) &&
    includes(apiGroups, subject.group) &&
    includes(apiVersions, subject.version) &&
    (resources ?? []).some((text) => matchesResource(text, subject)) &&
    (resourceNames.length === 0 || resourceNames.includes(subject.name))
  );
}

function includes(values: readonly string[] | undefined, wanted: string): boolean {
  return values?.some((value) => value === '*' || value === wanted) === true;
}

/** `pods`, `pods/status`, `pods/*`, `*`, status or all of every resource: one without a slash means no subresource. */
function matchesResource(text: string, { resource, subresource }: RuleSubject): boolean {
  const slash = text.indexOf('/');
  const [ownResource, ownSubresource] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
  return (ownResource === '*' || ownResource === resource) && (ownSubresource === '*' || ownSubresource === subresource);
}

/** Namespaces are objects of the cluster, although they count as being in the namespace of their name. */
function matchesScope({ scope }: MatchRule, { group, version, resource, namespace }: RuleSubject): boolean {
  if (scope === undefined || scope === '*') return true;
  const isNamespace = group === '' && version === 'v1' && resource === 'namespaces';
  const isOfCluster = isNamespace || namespace === '';
  if (scope === 'Cluster') return isOfCluster;
  return scope === 'Namespaced' && !isOfCluster;
}
