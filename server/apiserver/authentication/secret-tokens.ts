import type { JWTPayload } from 'jose';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { SecretTokenClaims, SignSecretToken } from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import { serviceAccountGroups, serviceAccountUserName } from './well-known.ts';

const issuer = 'kubernetes/serviceaccount';
const prefix = 'kubernetes.io/serviceaccount/';

/** The Secret that a token is kept in, as it is now. */
export interface TokenSecret {
  readonly token: string;
  readonly isDeleted: boolean;
  /** It was not used for so long that it is not believed any more. */
  readonly isInvalidated: boolean;
}

export interface SecretTokenOptions {
  readonly keys: ServiceAccountKeys;
  /** What these tokens are for: the API server's own audiences. */
  readonly audiences: readonly string[];
  findSecret(key: ObjectKey): Promise<TokenSecret | undefined>;
  /** undefined: there is none. */
  findAccountUID(key: ObjectKey): Promise<string | undefined>;
  /** Its token was shown, and is good. */
  noteUse(key: ObjectKey): void;
}

/** Signs the tokens of Secrets: without an end, an audience and an id. */
export function createSecretTokenSigner(keys: ServiceAccountKeys): SignSecretToken {
  return async ({ namespace, secretName, serviceAccount }) => {
    const { SignJWT } = await import('jose');
    const { signing } = keys;
    return new SignJWT({
      iss: issuer,
      [`${prefix}namespace`]: namespace,
      [`${prefix}secret.name`]: secretName,
      [`${prefix}service-account.name`]: serviceAccount.name,
      [`${prefix}service-account.uid`]: serviceAccount.uid,
      sub: serviceAccountUserName(namespace, serviceAccount.name),
    })
      .setProtectedHeader({ alg: signing.algorithm, kid: signing.id })
      .sign(signing.privateKey);
  };
}

/** Believes the tokens of Secrets that hold them still, for accounts that are there still. */
export function secretTokenAuthenticator(options: SecretTokenOptions): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const payload = await readToken(token, options.keys);
      if (payload === undefined) return undefined;
      const granted = audiences.length > 0 ? audiences.filter((audience) => options.audiences.includes(audience)) : options.audiences;
      const claims = claimsOf(payload);
      if (granted.length === 0 || claims === undefined) throw unauthorized('invalid bearer token');
      const { namespace, secretName, serviceAccount } = claims;
      const key = { namespace, name: secretName };
      const secret = await options.findSecret(key);
      const uid = await options.findAccountUID({ namespace, name: serviceAccount.name });
      if (!secret || secret.isDeleted || secret.isInvalidated || secret.token !== token || uid !== serviceAccount.uid)
        throw unauthorized('service account token has been invalidated');
      options.noteUse(key);
      const name = serviceAccountUserName(namespace, serviceAccount.name);
      return { user: { name, uid, groups: serviceAccountGroups(namespace) }, audiences: granted };
    },
  };
}

/** undefined: a token of others. Throws 401 where it says to be ours and is not. */
async function readToken(token: string, { verification }: ServiceAccountKeys): Promise<JWTPayload | undefined> {
  const { decodeJwt, errors, jwtVerify } = await import('jose');
  try {
    if (decodeJwt(token).iss !== issuer) return undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid, alg }) => {
        const key = verification.find((candidate) => candidate.algorithm === alg && (kid === undefined || candidate.id === kid));
        if (!key) throw new errors.JWKSNoMatchingKey();
        return key.key;
      },
      { issuer, algorithms: ['ES256', 'RS256'] },
    );
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw unauthorized('invalid bearer token');
    throw error;
  }
}

function claimsOf(payload: JWTPayload): SecretTokenClaims | undefined {
  const read = (claim: string) => {
    const value = payload[`${prefix}${claim}`];
    return typeof value === 'string' ? value : '';
  };
  const [namespace, secretName] = [read('namespace'), read('secret.name')];
  const serviceAccount = { name: read('service-account.name'), uid: read('service-account.uid') };
  if (!namespace || !secretName || !serviceAccount.name || !serviceAccount.uid) return undefined;
  return payload.sub === serviceAccountUserName(namespace, serviceAccount.name) ? { namespace, secretName, serviceAccount } : undefined;
}
