import type { JWTPayload } from 'jose';
import type { Clock } from '../../../api/base/clock.ts';
import { quote } from '../../../api/base/quote.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import type { KubernetesClaims } from './service-account-token-issuer.ts';
import { checkTimes, grantedAudiences, readSignedToken } from './signed-token.ts';
import { serviceAccountGroups, serviceAccountUserName } from './well-known.ts';

/** Reads the live objects that tokens are bound to. */
export interface BoundObjects {
  find(
    kind: 'ServiceAccount' | 'Pod' | 'Secret' | 'Node',
    key: ObjectKey,
  ): Promise<{ readonly uid: string; readonly deletionMs: number | undefined } | undefined>;
}

interface ServiceAccountTokenOptions {
  readonly keys: ServiceAccountKeys;
  /** Issuers that are accepted. */
  readonly issuers: readonly string[];
  /** The API server's own audiences, which a token must be for if the caller names none. */
  readonly audiences: readonly string[];
  readonly objects: BoundObjects;
  readonly clock: Clock;
}

/** The milliseconds for which a token stays valid after its bound object was deleted, so that a Pod can finish its work. */
const deletionLeewayMs = 60_000;

/** Authenticates tokens that this cluster signed, while they are valid and their bound objects exist. */
export function serviceAccountTokenAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const payload = await readSignedToken(token, options.issuers, options.keys);
      if (payload === undefined) return undefined;
      const granted = grantedAudiences(payload, audiences, options.audiences);
      checkTimes(payload, options.clock.nowMs() / 1000);
      const claims = (payload['kubernetes.io'] ?? {}) as Partial<KubernetesClaims>;
      await checkBinding(claims, options);
      return { user: userOf(claimsOf(claims, payload), payload), audiences: granted };
    },
  };
}

/** All that is needed is there by now, but for a subject that is another account. */
function claimsOf({ namespace = '', serviceaccount, ...others }: Partial<KubernetesClaims>, { sub }: JWTPayload): KubernetesClaims {
  if (serviceaccount === undefined || sub !== serviceAccountUserName(namespace, serviceaccount.name))
    throw unauthorized('service account token is of another subject than its account');
  return { namespace, serviceaccount, ...others };
}

const invalidated = 'service account token has been invalidated';

/** Checks the objects that the token is bound to, in upstream's order and words. Throws 401. */
async function checkBinding(claims: Partial<KubernetesClaims>, { objects, clock }: ServiceAccountTokenOptions): Promise<void> {
  const { namespace = '', serviceaccount: account, secret, pod, node } = claims;
  const name = account?.name ?? '';
  if (name === '') throw unauthorized('resource name may not be empty');
  const isGone = ({ deletionMs }: { readonly deletionMs: number | undefined }) =>
    deletionMs !== undefined && deletionMs + deletionLeewayMs < clock.nowMs();
  const found = await objects.find('ServiceAccount', { namespace, name });
  if (!found) throw unauthorized(`serviceaccounts ${quote(name)} not found`);
  if (isGone(found)) throw unauthorized(`service account ${namespace}/${name} has been deleted`);
  if (found.uid !== account?.uid) throw unauthorized(`service account UID (${found.uid}) does not match claim (${account?.uid ?? ''})`);
  const check = async (kind: 'Secret' | 'Pod' | 'Node', bound: { readonly name: string; readonly uid: string }) => {
    const object = await objects.find(kind, { namespace: kind === 'Node' ? '' : namespace, name: bound.name });
    if (!object || isGone(object)) throw unauthorized(invalidated);
    if (object.uid === bound.uid) return;
    const word = kind.toLowerCase();
    throw unauthorized(`${word} UID (${object.uid}) does not match service account ${word} ref claim (${bound.uid})`);
  };
  if (secret) await check('Secret', secret);
  if (pod) await check('Pod', pod);
  if (node && !pod) await check('Node', node);
}

function userOf({ namespace, serviceaccount, pod, node }: KubernetesClaims, { jti }: JWTPayload): UserInfo {
  const extra: Record<string, string[]> = {};
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined) extra[`authentication.kubernetes.io/${key}`] = [value];
  };
  if (jti !== undefined) add('credential-id', `JTI=${jti}`);
  add('node-name', node?.name);
  add('node-uid', node?.uid);
  add('pod-name', pod?.name);
  add('pod-uid', pod?.uid);
  return {
    name: serviceAccountUserName(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: serviceAccountGroups(namespace),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
