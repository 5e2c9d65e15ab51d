import type { JWTPayload } from 'jose';
import { quote } from '../../../api/base/quote.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import { invalidSinceLabel, type SecretTokenClaims, type SignSecretToken } from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import { grantedAudiences, readSignedToken } from './signed-token.ts';
import { serviceAccountGroups, serviceAccountUserName } from './well-known.ts';

const issuer = 'kubernetes/serviceaccount';
const prefix = 'kubernetes.io/serviceaccount/';

/** The Secret that a token is kept in, as it is now. */
export interface TokenSecret {
  readonly token: string;
  readonly isDeleted: boolean;
  /** Whether it is refused because it was not used for so long. */
  readonly isInvalidated: boolean;
}

export interface SecretTokenOptions {
  readonly keys: ServiceAccountKeys;
  /** Audiences of these tokens: the API server's own. */
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
      const payload = await readSignedToken(token, issuer, options.keys);
      if (payload === undefined) return undefined;
      const granted = grantedAudiences(payload, audiences, options.audiences);
      const { namespace, secretName, serviceAccount } = claimsOf(payload);
      const key = { namespace, name: secretName };
      checkSecret(
        await options.findSecret(key),
        token,
        `${namespace}/${secretName} for service account ${namespace}/${serviceAccount.name}`,
      );
      const uid = await options.findAccountUID({ namespace, name: serviceAccount.name });
      if (uid === undefined) throw unauthorized(`serviceaccounts ${quote(serviceAccount.name)} not found`);
      if (uid !== serviceAccount.uid) throw unauthorized(`ServiceAccount UID (${uid}) does not match claim (${serviceAccount.uid})`);
      options.noteUse(key);
      const name = serviceAccountUserName(namespace, serviceAccount.name);
      return { user: { name, uid, groups: serviceAccountGroups(namespace) }, audiences: granted };
    },
  };
}

function checkSecret(secret: TokenSecret | undefined, token: string, what: string): void {
  if (!secret || secret.isDeleted) throw unauthorized('Token has been invalidated');
  if (secret.token !== token) throw unauthorized("Token does not match server's copy");
  if (!secret.isInvalidated) return;
  throw unauthorized(
    `the token in secret ${what} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, ` +
      `or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`,
  );
}

/** Throws 401 for one that is missing, in upstream's order. */
function claimsOf(payload: JWTPayload): SecretTokenClaims {
  const read = (claim: string) => {
    const value = payload[`${prefix}${claim}`];
    return typeof value === 'string' ? value : '';
  };
  const [namespace, secretName] = [read('namespace'), read('secret.name')];
  const serviceAccount = { name: read('service-account.name'), uid: read('service-account.uid') };
  for (const [name, value] of [
    ['sub', payload.sub],
    ['namespace', namespace],
    ['secretName', secretName],
    ['serviceAccountName', serviceAccount.name],
    ['serviceAccountUID', serviceAccount.uid],
  ] as const)
    if (!value) throw unauthorized(`${name} claim is missing`);
  if (payload.sub !== serviceAccountUserName(namespace, serviceAccount.name)) throw unauthorized('sub claim is invalid');
  return { namespace, secretName, serviceAccount };
}
