import type { JWTPayload } from 'jose';
import { quote } from '../../../api/base/quote.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';

/** The tolerated difference of clocks, in seconds: a token is valid for so much longer and earlier than its claims say. */
const leewaySeconds = 60;

/**
 * Reads the claims of a token of one of the issuers: undefined for tokens of other issuers, 401 if no key of this cluster verifies the
 * signature. Validity and user are not checked.
 */
export async function readSignedToken(
  token: string,
  issuers: readonly string[],
  keys: ServiceAccountKeys,
): Promise<JWTPayload | undefined> {
  if (!saysIssuer(token, issuers)) return undefined;
  const { compactVerify, decodeProtectedHeader, errors } = await import('jose');
  try {
    const { kid } = decodeProtectedHeader(token);
    const named = keys.verification.filter(({ id }) => kid === undefined || kid === '' || id === kid);
    if (named.length === 0) throw unauthorized('invalid signature, no keys found');
    for (const { key, algorithm } of named) {
      const verified = await compactVerify(token, key, { algorithms: [algorithm] }).catch(ignoreOtherKey(errors.JOSEError));
      if (verified) return JSON.parse(new TextDecoder().decode(verified.payload)) as JWTPayload;
    }
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
  throw unauthorized('go-jose/go-jose: error in cryptographic primitive');
}

function ignoreOtherKey(expected: new (...args: never[]) => Error): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof expected)) throw error;
  };
}

/** Reads the issuer without believing it. */
function saysIssuer(token: string, issuers: readonly string[]): boolean {
  const parts = token.split('.');
  if (parts.length !== 3) return false;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return typeof payload === 'object' && payload !== null && 'iss' in payload && issuers.some((issuer) => payload.iss === issuer);
  } catch {
    return false;
  }
}

/** Throws 401 for a token that is over, or that is to be good later. */
export function checkTimes({ exp, nbf, iat }: JWTPayload, nowSeconds: number): void {
  if (nbf !== undefined && nowSeconds + leewaySeconds < nbf) throw unauthorized('service account token is not valid yet');
  if (exp !== undefined && nowSeconds - leewaySeconds > exp) throw unauthorized('service account token has expired');
  if (iat !== undefined && nowSeconds + leewaySeconds < iat) throw unauthorized('service account token is issued in the future');
}

/** The requested audiences that a token is for; absent ones on either side mean the API server's own. Throws 401 if there are none. */
export function grantedAudiences({ aud }: JWTPayload, wanted: readonly string[], own: readonly string[]): readonly string[] {
  const claimed = typeof aud === 'string' ? [aud] : (aud ?? []);
  const [has, asked] = [claimed.length > 0 ? claimed : own, wanted.length > 0 ? wanted : own];
  const granted = has.filter((audience) => asked.includes(audience));
  if (granted.length === 0) throw unauthorized(`token audiences ${quoteAll(has)} is invalid for the target audiences ${quoteAll(asked)}`);
  return granted;
}

function quoteAll(texts: readonly string[]): string {
  return `[${texts.map(quote).join(' ')}]`;
}
