import type { JWTPayload } from 'jose';
import type { Clock } from '../../../api/base/clock.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import type { KubernetesClaims } from './service-account-token-issuer.ts';
import { serviceAccountGroups, serviceAccountUserName } from './well-known.ts';

/** The live state of what tokens are bound to. */
export interface BoundObjects {
  find(
    kind: 'ServiceAccount' | 'Pod' | 'Secret' | 'Node',
    key: ObjectKey,
  ): Promise<{ readonly uid: string; readonly deletionMs: number | undefined } | undefined>;
}

export interface ServiceAccountTokenOptions {
  readonly keys: ServiceAccountKeys;
  readonly issuer: string;
  /** The API server's own audiences: what a token must be for if the caller does not say. */
  readonly audiences: readonly string[];
  readonly objects: BoundObjects;
  readonly clock: Clock;
}

/** How long a token outlives the deletion of what it is bound to, so that a pod can finish its work. */
const deletionLeewayMs = 60_000;

/** Believes tokens that we signed, for as long as they last and what they are bound to is there. */
export function serviceAccountTokenAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      if (!mayBeOurs(token, options.issuer)) return undefined;
      const payload = await verifySignature(token, options);
      const granted = intersect(payload.aud, audiences.length > 0 ? audiences : options.audiences);
      if (granted.length === 0) throw unauthorized(`token audiences ${JSON.stringify(payload.aud)} is invalid for the target audiences`);
      const claims = payload['kubernetes.io'] as KubernetesClaims | undefined;
      if (!claims?.namespace || !claims.serviceaccount?.name || !claims.serviceaccount.uid) throw unauthorized('invalid bearer token');
      if (payload.sub !== serviceAccountUserName(claims.namespace, claims.serviceaccount.name)) throw unauthorized('invalid bearer token');
      await checkBinding(claims, options);
      return { user: userOf(claims, payload), audiences: granted };
    },
  };
}

/** Reads the issuer without believing it: tokens of others are others' business. */
function mayBeOurs(token: string, issuer: string): boolean {
  const parts = token.split('.');
  if (parts.length !== 3) return false;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return typeof payload === 'object' && payload !== null && 'iss' in payload && payload.iss === issuer;
  } catch {
    return false;
  }
}

async function verifySignature(token: string, { keys, issuer, clock }: ServiceAccountTokenOptions): Promise<JWTPayload> {
  const { jwtVerify, errors } = await import('jose');
  const { toDate } = await import('../../../api/meta/time.ts');
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid, alg }) => {
        const key = keys.verification.find((candidate) => candidate.algorithm === alg && (kid === undefined || candidate.id === kid));
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key.key;
      },
      { issuer, algorithms: ['ES256', 'RS256'], currentDate: toDate(clock.nowMs()), requiredClaims: ['exp', 'sub', 'aud'] },
    );
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw unauthorized('service account token has expired');
    if (error instanceof errors.JOSEError) throw unauthorized('invalid bearer token');
    throw error;
  }
}

function intersect(claimed: JWTPayload['aud'], wanted: readonly string[]): string[] {
  const audiences = typeof claimed === 'string' ? [claimed] : (claimed ?? []);
  return wanted.filter((audience) => audiences.includes(audience));
}

async function checkBinding(claims: KubernetesClaims, { objects, clock }: ServiceAccountTokenOptions): Promise<void> {
  const { namespace } = claims;
  const bindings = [
    { kind: 'ServiceAccount', key: { namespace, name: claims.serviceaccount.name }, uid: claims.serviceaccount.uid },
    ...(claims.pod ? [{ kind: 'Pod', key: { namespace, name: claims.pod.name }, uid: claims.pod.uid } as const] : []),
    ...(claims.secret ? [{ kind: 'Secret', key: { namespace, name: claims.secret.name }, uid: claims.secret.uid } as const] : []),
    ...(claims.node && !claims.pod
      ? [{ kind: 'Node', key: { namespace: '', name: claims.node.name }, uid: claims.node.uid } as const]
      : []),
  ] as const;
  for (const { kind, key, uid } of bindings) {
    const object = await objects.find(kind, key);
    const isGone = object?.deletionMs !== undefined && object.deletionMs + deletionLeewayMs < clock.nowMs();
    if (!object || object.uid !== uid || isGone) throw unauthorized('service account token has been invalidated');
  }
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
