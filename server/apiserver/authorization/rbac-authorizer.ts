import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, RoleRef } from '../../../api/types/rbac-v1.ts';
import type { Authorizer } from './authorizer.ts';
import { type Rule, ruleAllows, subjectIncludes } from './rule-evaluation.ts';

export interface RBACListers {
  readonly roles: Lister<Role>;
  readonly roleBindings: Lister<RoleBinding>;
  readonly clusterRoles: Lister<ClusterRole>;
  readonly clusterRoleBindings: Lister<ClusterRoleBinding>;
}

/** The rules of a user, as far as RBAC knows. */
export interface RuleResolver {
  /** The rules for the user in a namespace (in '' only the cluster-wide ones), and the bindings that could not be resolved. */
  rulesFor(user: UserInfo, namespace: string): { readonly rules: Rule[]; readonly errors: string[] };
  /** Rules of the role that a binding in `namespace` ('': ClusterRoleBinding) refers to; undefined if there is no such role. */
  rulesOfRole(roleRef: DeepReadonly<RoleRef>, namespace: string): readonly Rule[] | undefined;
}

export function createRuleResolver(listers: RBACListers): RuleResolver {
  const rulesOfRole: RuleResolver['rulesOfRole'] = ({ kind, name }, namespace) => {
    const role = kind === 'ClusterRole' ? listers.clusterRoles.find({ namespace: '', name }) : listers.roles.find({ namespace, name });
    return role && (role.rules ?? []);
  };
  return {
    rulesOfRole,
    rulesFor(user, namespace) {
      const rules: Rule[] = [];
      const errors: string[] = [];
      visitBindings(listers, user, namespace, (roleRef, bindingNamespace) => {
        const found = rulesOfRole(roleRef, bindingNamespace);
        if (found) rules.push(...found);
        else errors.push(missingRole(roleRef));
        return false;
      });
      return { rules, errors };
    },
  };
}

/** Allows what the roles of a user allow; has no opinion on other requests. */
export function createRBACAuthorizer(listers: RBACListers): Authorizer {
  const resolver = createRuleResolver(listers);
  const grantsFor = rememberGrants(listers, (user, namespace) => collectGrants(listers, resolver, user, namespace));
  return {
    authorize(attributes) {
      const grants = grantsFor(attributes.user, attributes.isResourceRequest ? attributes.namespace : '');
      const errors: string[] = [];
      for (const { rules, reason } of grants) {
        if (!rules) errors.push(reason());
        else if (rules.some((rule) => ruleAllows(rule, attributes))) return { decision: 'Allow', reason: `RBAC: allowed by ${reason()}` };
      }
      return { decision: 'NoOpinion', reason: formatErrors(errors) };
    },
  };
}

/** The grant of one binding to a user: rules and their source, or an error. */
interface Grant {
  readonly rules: readonly Rule[] | undefined;
  reason(): string;
}

function collectGrants(listers: RBACListers, resolver: RuleResolver, user: UserInfo, namespace: string): Grant[] {
  const grants: Grant[] = [];
  visitBindings(listers, user, namespace, (roleRef, bindingNamespace, describe) => {
    const rules = resolver.rulesOfRole(roleRef, bindingNamespace);
    grants.push({ rules, reason: rules ? describe : () => missingRole(roleRef) });
    return false;
  });
  return grants;
}

/** The maximum number of namespaces; more than any user works in at a time. */
const maxNamespaces = 1000;

/** Grants by user and namespace, for as long as no role and no binding changes: most requests come from few users. */
function rememberGrants(
  listers: RBACListers,
  collect: (user: UserInfo, namespace: string) => readonly Grant[],
): (user: UserInfo, namespace: string) => readonly Grant[] {
  const { roles, roleBindings, clusterRoles, clusterRoleBindings } = listers;
  let version = -1;
  let known = new WeakMap<UserInfo, Map<string, readonly Grant[]>>();
  return (user, namespace) => {
    // Each only grows, so their sum changes with any of them.
    const present = roles.version() + roleBindings.version() + clusterRoles.version() + clusterRoleBindings.version();
    if (present !== version) {
      version = present;
      known = new WeakMap();
    }
    let ofUser = known.get(user);
    if (!ofUser || ofUser.size > maxNamespaces) known.set(user, (ofUser = new Map()));
    let grants = ofUser.get(namespace);
    if (!grants) ofUser.set(namespace, (grants = collect(user, namespace)));
    return grants;
  };
}

type Visitor = (roleRef: DeepReadonly<RoleRef>, bindingNamespace: string, describe: () => string) => boolean;

/** Calls `visit` for every binding of the user until it returns true. */
function visitBindings(listers: RBACListers, user: UserInfo, namespace: string, visit: Visitor): void {
  for (const binding of listers.clusterRoleBindings.list()) {
    const subject = binding.subjects?.find((candidate) => subjectIncludes(candidate, user, ''));
    if (subject && visit(binding.roleRef, '', () => describeBinding('ClusterRoleBinding', binding, subject))) return;
  }
  if (namespace === '') return;
  for (const binding of listers.roleBindings.list({ namespace })) {
    const subject = binding.subjects?.find((candidate) => subjectIncludes(candidate, user, namespace));
    if (subject && visit(binding.roleRef, namespace, () => describeBinding('RoleBinding', binding, subject))) return;
  }
}

type Subjects = NonNullable<DeepReadonly<RoleBinding>['subjects']>;

function describeBinding(
  kind: string,
  { metadata, roleRef }: DeepReadonly<RoleBinding | ClusterRoleBinding>,
  subject: Subjects[number],
): string {
  const name = metadata.namespace ? `${metadata.name}/${metadata.namespace}` : (metadata.name ?? '');
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? ''}` : subject.name;
  return `${kind} ${quote(name)} of ${roleRef.kind} ${quote(roleRef.name)} to ${subject.kind} ${quote(who)}`;
}

function missingRole({ kind, name }: DeepReadonly<RoleRef>): string {
  return `${kind === 'ClusterRole' ? 'clusterrole' : 'role'}.rbac.authorization.k8s.io ${quote(name)} not found`;
}

function formatErrors(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  if (distinct.length === 0) return '';
  return `RBAC: ${distinct.length === 1 ? distinct[0] : `[${distinct.join(', ')}]`}`;
}
