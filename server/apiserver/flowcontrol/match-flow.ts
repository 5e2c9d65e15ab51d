import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../../api/types/flowcontrol-v1.ts';
import { serviceAccountUserName } from '../authentication/well-known.ts';
import type { RequestInfo } from '../request/request-context.ts';

type Rules = DeepReadonly<PolicyRulesWithSubjects>;

/** The order in which FlowSchemas are tried: by precedence, then by name. */
export function compareFlowSchemas(a: DeepReadonly<FlowSchema>, b: DeepReadonly<FlowSchema>): number {
  const byPrecedence = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
  if (byPrecedence !== 0) return byPrecedence;
  return (a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1;
}

/** The rules of a FlowSchema that are about a user, whatever they ask for. */
export function rulesFor(schema: DeepReadonly<FlowSchema>, user: UserInfo): readonly Rules[] {
  return (schema.spec?.rules ?? []).filter(({ subjects }) => subjects.some((subject) => isSubject(subject, user)));
}

/** Whether one of the rules, which match the user already, matches the request. */
export function matchesRequest(rules: readonly Rules[], info: RequestInfo): boolean {
  return rules.some(({ resourceRules = [], nonResourceRules = [] }) =>
    info.isResourceRequest
      ? resourceRules.some((rule) => matchesResource(rule, info))
      : nonResourceRules.some((rule) => matchesPath(rule, info)),
  );
}

function isSubject(subject: DeepReadonly<Subject>, user: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user !== undefined && (subject.user.name === '*' || subject.user.name === user.name);
    case 'Group':
      return subject.group !== undefined && (subject.group.name === '*' || user.groups.includes(subject.group.name));
    case 'ServiceAccount': {
      if (subject.serviceAccount === undefined) return false;
      const { namespace, name } = subject.serviceAccount;
      if (name === '*') return user.name.startsWith(serviceAccountUserName(namespace, ''));
      return user.name === serviceAccountUserName(namespace, name);
    }
    default:
      return false;
  }
}

function matchesResource(rule: DeepReadonly<ResourcePolicyRule>, info: RequestInfo): boolean {
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  if (!includes(rule.verbs, info.verb) || !includes(rule.resources, resource) || !includes(rule.apiGroups, info.apiGroup)) return false;
  return info.namespace === '' ? rule.clusterScope === true : includes(rule.namespaces ?? [], info.namespace);
}

function matchesPath(rule: DeepReadonly<NonResourcePolicyRule>, { verb, path }: RequestInfo): boolean {
  return includes(rule.verbs, verb) && rule.nonResourceURLs.some((url) => matchesURL(url, path));
}

/** `/healthz` is also about all that is below it, with or without a star at the end. */
function matchesURL(url: string, path: string): boolean {
  if (url === '*' || url === path) return true;
  const prefix = url.endsWith('*') ? url.slice(0, -1) : url;
  return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

/** A star counts only alone. */
function includes(list: readonly string[], value: string): boolean {
  return (list.length === 1 && list[0] === '*') || list.includes(value);
}
