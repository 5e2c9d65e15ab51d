import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { TokenIssuer } from './authenticator.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import { serviceAccountUserName } from './well-known.ts';

interface TokenIssuerOptions {
  readonly keys: ServiceAccountKeys;
  readonly issuer: string;
  /** Audiences of tokens if no other was asked for. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

/** The claims of a service account token under `kubernetes.io` (KEP-1205, KEP-4193). */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly node?: Reference;
  readonly pod?: Reference;
  readonly secret?: Reference;
  readonly serviceaccount: Reference;
}

interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** Signs service account tokens bound to their account and, if asked, to a pod, secret or node. */
export function createTokenIssuer({ keys, issuer, audiences, clock, random }: TokenIssuerOptions): TokenIssuer {
  return {
    defaultAudiences: audiences,
    async issue(claims) {
      const { SignJWT } = await import('jose');
      const { signing } = keys;
      const issuedAt = Math.floor(clock.nowMs() / 1000);
      const expiresAt = issuedAt + claims.expirationSeconds;
      const token = await new SignJWT({
        aud: [...(claims.audiences.length > 0 ? claims.audiences : audiences)],
        exp: expiresAt,
        iat: issuedAt,
        iss: issuer,
        jti: random.uuid(),
        'kubernetes.io': kubernetesClaims(claims),
        nbf: issuedAt,
        sub: serviceAccountUserName(claims.namespace, claims.serviceAccount.name),
      })
        .setProtectedHeader({ alg: signing.algorithm, kid: signing.id })
        .sign(signing.privateKey);
      return { token, expirationMs: expiresAt * 1000 };
    },
  };
}

function kubernetesClaims({ namespace, serviceAccount, boundObject, node }: Parameters<TokenIssuer['issue']>[0]): KubernetesClaims {
  const bound = boundObject && { name: boundObject.name, uid: boundObject.uid };
  return {
    namespace,
    ...(bound && boundObject.kind === 'Node' ? { node: bound } : node ? { node: { name: node.name, uid: node.uid } } : {}),
    ...(bound && boundObject.kind === 'Pod' ? { pod: bound } : {}),
    ...(bound && boundObject.kind === 'Secret' ? { secret: bound } : {}),
    serviceaccount: { name: serviceAccount.name, uid: serviceAccount.uid },
  };
}
