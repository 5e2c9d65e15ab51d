import type { UserInfo } from '../../../api/meta/user-info.ts';
import {
  allAuthenticated,
  allUnauthenticated,
  anonymousName,
  parseServiceAccountUserName,
  serviceAccountGroups,
} from '../authentication/well-known.ts';
import type { AuthorizationAttributes, Authorizer } from '../authorization/authorizer.ts';
import type { Filter } from '../request-context.ts';
import { forbiddenError } from './authorization.ts';
import { plainResponse } from './error-response.ts';

interface Impersonation {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

const extraPrefix = 'impersonate-extra-';

/** Acts as someone else where the headers say so and the user may (verb `impersonate` on every part of that identity). */
export function impersonation(authorizer: Authorizer): Filter {
  return (next) => async (context) => {
    const wanted = readImpersonation(context.request.headers);
    if (!wanted) return next(context);
    if (wanted.user === '') {
      return plainResponse(
        500,
        `Internal Server Error: ${JSON.stringify(context.request.path)}: requested impersonation without impersonating a user\n`,
      );
    }
    for (const attributes of permissionsFor(wanted, context.user)) {
      const { decision, reason } = await authorizer.authorize(attributes);
      if (decision !== 'Allow') throw forbiddenError(attributes, reason);
    }
    context.user = identityOf(wanted);
    return next(context);
  };
}

/** The headers, undefined if there are none. */
export function readImpersonation(headers: Readonly<Record<string, string>>): Impersonation | undefined {
  // Every request comes this way, and almost none of them impersonates.
  if (!Object.keys(headers).some((name) => name.startsWith('impersonate-'))) return undefined;
  const extra = new Map<string, string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(extraPrefix)) continue;
    extra.set(decodeKey(name.slice(extraPrefix.length)), splitValues(value));
  }
  const user = headers['impersonate-user'] ?? '';
  const uid = headers['impersonate-uid'] ?? '';
  const groups = splitValues(headers['impersonate-group'] ?? '');
  return user === '' && uid === '' && groups.length === 0 && extra.size === 0 ? undefined : { user, uid, groups, extra };
}

function splitValues(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Keys are percent-encoded where a header name cannot hold them. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

function permissionsFor(wanted: Impersonation, user: UserInfo): AuthorizationAttributes[] {
  const ask = (apiGroup: string, resource: string, name: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => ({
    user,
    verb: 'impersonate',
    isResourceRequest: true,
    namespace: '',
    apiGroup,
    apiVersion: 'v1',
    resource,
    subresource: '',
    name,
    path: '',
    ...more,
  });
  const account = parseServiceAccountUserName(wanted.user);
  const asked = [account ? ask('', 'serviceaccounts', account.name, { namespace: account.namespace }) : ask('', 'users', wanted.user)];
  for (const group of wanted.groups) asked.push(ask('', 'groups', group));
  if (wanted.uid !== '') asked.push(ask('authentication.k8s.io', 'uids', wanted.uid));
  for (const [key, values] of wanted.extra) {
    for (const value of values) asked.push(ask('authentication.k8s.io', 'userextras', value, { subresource: key }));
  }
  return asked;
}

function identityOf(wanted: Impersonation): UserInfo {
  const account = parseServiceAccountUserName(wanted.user);
  const groups = wanted.groups.length === 0 && account ? serviceAccountGroups(account.namespace) : [...wanted.groups];
  const implied = wanted.user === anonymousName ? allUnauthenticated : allAuthenticated;
  if (!groups.includes(allAuthenticated) && !groups.includes(allUnauthenticated)) groups.push(implied);
  return {
    name: wanted.user,
    groups,
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(wanted.extra.size === 0 ? {} : { extra: Object.fromEntries(wanted.extra) }),
  };
}
