import type { UserInfo } from '../../../api/meta/user-info.ts';
import { nameIsDNSLabel, nameIsDNSSubdomain } from '../../../api/validation/names.ts';

/** Names that authentication and authorization agree on (upstream's k8s.io/apiserver/pkg/authentication/user). */
export const systemMasters = 'system:masters';
export const allAuthenticated = 'system:authenticated';
export const allUnauthenticated = 'system:unauthenticated';
const systemNodes = 'system:nodes';
export const nodeUserPrefix = 'system:node:';
export const anonymousName = 'system:anonymous';

export const anonymousUser: UserInfo = { name: anonymousName, groups: [allUnauthenticated] };

/** The API server itself, towards itself. */
export const loopbackUser: UserInfo = { name: 'system:apiserver', groups: [systemMasters, allAuthenticated] };

/** Adds the group system:authenticated to every user but the anonymous one and those who have a group of authentication already. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  let complete = completeUsers.get(user);
  if (!complete) completeUsers.set(user, (complete = addAuthenticatedGroup(user)));
  return complete;
}

const completeUsers = new WeakMap<UserInfo, UserInfo>();

function addAuthenticatedGroup(user: UserInfo): UserInfo {
  const isComplete = user.name === anonymousName || user.groups.includes(allAuthenticated) || user.groups.includes(allUnauthenticated);
  return isComplete ? user : { ...user, groups: [...user.groups, allAuthenticated] };
}

/** The name of the node that a user is, which may be empty; undefined for users that are no nodes. */
export function nodeNameOfUser({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(nodeUserPrefix) && groups.includes(systemNodes) ? name.slice(nodeUserPrefix.length) : undefined;
}

const serviceAccountPrefix = 'system:serviceaccount:';

export function serviceAccountUserName(namespace: string, name: string): string {
  return `${serviceAccountPrefix}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}

/** Namespace and name of a service account by its user name; undefined for any other user, those whose parts could be no names among them. */
export function parseServiceAccountUserName(userName: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!userName.startsWith(serviceAccountPrefix)) return undefined;
  const [namespace = '', name = '', ...more] = userName.slice(serviceAccountPrefix.length).split(':');
  const isOne = more.length === 0 && nameIsDNSLabel(namespace, false).length === 0 && nameIsDNSSubdomain(name, false).length === 0;
  return isOne ? { namespace, name } : undefined;
}
