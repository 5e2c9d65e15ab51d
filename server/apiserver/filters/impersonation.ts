import { quote } from '../../../api/base/quote.ts';
import { headerValues } from '../../../api/client/header-values.ts';
import type { APIRequest } from '../../../api/client/transport.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { decodeHeaderKey } from '../authentication/decode-header-key.ts';
import { withoutHeaders } from '../authentication/without-credentials.ts';
import {
  allAuthenticated,
  allUnauthenticated,
  anonymousName,
  parseServiceAccountUserName,
  serviceAccountGroups,
} from '../authentication/well-known.ts';
import type { AuthorizationAttributes, Authorizer } from '../authorization/authorizer.ts';
import type { Filter } from '../request/request-context.ts';
import { forbiddenError } from './authorization.ts';
import { plainResponse } from '../responses/error-response.ts';

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
    const wanted = readImpersonation(context.request);
    if (!wanted) return next(context);
    if (wanted.user === '') return withoutUser(wanted, context.request);
    for (const attributes of permissionsFor(wanted, context.user)) {
      const { decision, reason } = await authorizer.authorize(attributes, context.signal);
      if (decision !== 'Allow') throw forbiddenError(attributes, reason);
    }
    context.user = identityOf(wanted);
    context.audit?.noteImpersonation(context.user);
    context.request = withoutHeaders(context.request, /^impersonate-/);
    return next(context);
  };
}

/** The answer to a request that impersonates a group, uid or extra without a user, in upstream's words. */
function withoutUser({ groups, extra, uid }: Impersonation, { path, query }: APIRequest) {
  const version = 'authentication.k8s.io/v1';
  const asked = [
    ...groups.map((group) => `{Group  ${group}    }`),
    ...[...extra].flatMap(([key, values]) => values.map((value) => `{UserExtra  ${value}  ${version}  ${key}}`)),
    ...(uid === '' ? [] : [`{UID  ${uid}  ${version}  }`]),
  ];
  const target = quote(`${path}${query === '' ? '' : `?${query}`}`);
  return plainResponse(500, `Internal Server Error: ${target}: requested [${asked.join(' ')}] without impersonating a user\n`);
}

/** The headers, undefined if there are none. */
export function readImpersonation(request: Pick<APIRequest, 'headers' | 'repeatedHeaders'>): Impersonation | undefined {
  const { headers } = request;
  // Every request passes here, and almost none impersonates.
  if (!Object.keys(headers).some((name) => name.startsWith('impersonate-'))) return undefined;
  const extra = new Map<string, string[]>();
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(extraPrefix)) continue;
    const key = decodeHeaderKey(name.slice(extraPrefix.length));
    extra.set(key, [...(extra.get(key) ?? []), ...headerValues(request, name)]);
  }
  const [user = ''] = headerValues(request, 'impersonate-user');
  const [uid = ''] = headerValues(request, 'impersonate-uid');
  const groups = headerValues(request, 'impersonate-group');
  return user === '' && uid === '' && groups.length === 0 && extra.size === 0 ? undefined : { user, uid, groups, extra };
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
  for (const [key, values] of wanted.extra) {
    for (const value of values) asked.push(ask('authentication.k8s.io', 'userextras', value, { subresource: key }));
  }
  if (wanted.uid !== '') asked.push(ask('authentication.k8s.io', 'uids', wanted.uid));
  return asked;
}

function identityOf(wanted: Impersonation): UserInfo {
  const account = parseServiceAccountUserName(wanted.user);
  const groups = wanted.groups.length === 0 && account ? serviceAccountGroups(account.namespace) : [...wanted.groups];
  const isSaid = groups.includes(allUnauthenticated) || (wanted.user !== anonymousName && groups.includes(allAuthenticated));
  if (!isSaid) groups.push(wanted.user === anonymousName ? allUnauthenticated : allAuthenticated);
  return {
    name: wanted.user,
    groups,
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(wanted.extra.size === 0 ? {} : { extra: Object.fromEntries(wanted.extra) }),
  };
}
