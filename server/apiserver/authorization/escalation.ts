import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { badRequest, forbidden, notFound, unexpectedError } from '../../../api/meta/status-errors.ts';
import { quote } from '../../../api/base/quote.ts';
import { pathSegmentNameProblems } from '../../../api/validation/names.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { RoleRef } from '../../../api/types/rbac-v1.ts';
import { systemMasters } from '../authentication/well-known.ts';
import type { Authorizer } from './authorizer.ts';
import type { RuleResolver } from './rbac-authorizer.ts';
import { compactRules, formatRule, type Rule, uncoveredRules } from './rule-evaluation.ts';

const group = 'rbac.authorization.k8s.io';

export interface EscalationCheck {
  readonly user: UserInfo;
  /** roles, clusterroles, rolebindings or clusterrolebindings. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** RBAC's checks on writes of roles and of bindings: a user cannot grant more than the user holds. */
export interface EscalationGuard {
  /** Throws 403 if the user neither holds all of `rules` nor may `escalate` the role. */
  checkRole(check: EscalationCheck, rules: readonly Rule[]): Promise<void>;
  /** Throws 403 if the user neither holds all that the role allows nor may `bind` it. */
  checkBinding(check: EscalationCheck, roleRef: DeepReadonly<RoleRef>): Promise<void>;
}

export function createEscalationGuard(resolver: RuleResolver, authorizer: Authorizer): EscalationGuard {
  const isAllowed = async (
    { user, namespace }: EscalationCheck,
    verb: string,
    resource: string,
    name: string,
    apiGroup = group,
  ): Promise<boolean> => {
    const asked = {
      user,
      verb,
      isResourceRequest: true,
      namespace,
      apiGroup,
      apiVersion: '*',
      resource,
      subresource: '',
      name,
      path: '',
    };
    return (await authorizer.authorize(asked)).decision === 'Allow';
  };
  const checkHeld = (check: EscalationCheck, rules: readonly Rule[]): void => {
    const owned = resolver.rulesFor(check.user, check.namespace);
    const missing = uncoveredRules(owned.rules, rules);
    if (missing.length > 0) throw escalationError(check, missing, owned.errors);
  };
  return {
    async checkRole(check, rules) {
      if (isPrivileged(check.user)) return;
      if (await isAllowed(check, 'escalate', check.resource, check.name)) return;
      checkHeld(check, rules);
    },
    async checkBinding(check, roleRef) {
      if (isPrivileged(check.user)) return;
      const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
      if (roleRef.kind !== 'ClusterRole' && roleRef.kind !== 'Role')
        throw unexpectedError(`unsupported role reference kind: ${quote(roleRef.kind)}`);
      if (await isAllowed(check, 'bind', resource, roleRef.name, roleRef.apiGroup)) return;
      const problem = findKeyProblem(roleRef, check.namespace);
      if (problem !== undefined) throw badRequest(problem);
      const rules = resolver.rulesOfRole(roleRef, check.namespace);
      if (!rules) throw notFound({ group, resource: check.resource }, roleRef.name);
      checkHeld(check, rules);
    },
  };
}

function isPrivileged(user: UserInfo): boolean {
  return user.groups.includes(systemMasters);
}

/** Why no role can be looked up by that reference. */
function findKeyProblem({ kind, name }: DeepReadonly<RoleRef>, namespace: string): string | undefined {
  if (kind !== 'ClusterRole' && namespace === '') return 'Namespace parameter required.';
  if (name === '') return 'Name parameter required.';
  const [problem] = pathSegmentNameProblems(name);
  return problem === undefined ? undefined : `Name parameter invalid: ${quote(name)}: ${problem}`;
}

function escalationError(check: EscalationCheck, missing: Parameters<typeof compactRules>[0], errors: readonly string[]): Error {
  const { user } = check;
  const groups = user.groups.map((one) => quote(one)).join(' ');
  const lines = compactRules(missing).map(formatRule).sort();
  const unresolved = errors.length === 0 ? '' : `; resolution errors: [${errors.join(', ')}]`;
  const message = `user ${quote(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${unresolved}`;
  return forbidden({ group, resource: check.resource }, check.name, message);
}
