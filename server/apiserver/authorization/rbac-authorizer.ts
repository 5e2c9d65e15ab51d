import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Lister } from '../../../api/client/informer.ts';
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

/** What a user may do, as far as RBAC knows. */
export interface RuleResolver {
  /** Rules that hold for the user in a namespace ('': cluster-wide ones only), and what could not be resolved. */
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

/** Allows what the roles bound to a user allow; has no opinion on all else. */
export function createRBACAuthorizer(listers: RBACListers): Authorizer {
  const resolver = createRuleResolver(listers);
  return {
    async authorize(attributes) {
      const errors: string[] = [];
      let allowedBy = '';
      visitBindings(
        listers,
        attributes.user,
        attributes.isResourceRequest ? attributes.namespace : '',
        (roleRef, bindingNamespace, describe) => {
          const rules = resolver.rulesOfRole(roleRef, bindingNamespace);
          if (!rules) errors.push(missingRole(roleRef));
          if (!rules?.some((rule) => ruleAllows(rule, attributes))) return false;
          allowedBy = describe();
          return true;
        },
      );
      if (allowedBy !== '') return { decision: 'Allow', reason: `RBAC: allowed by ${allowedBy}` };
      return { decision: 'NoOpinion', reason: formatErrors(errors) };
    },
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
