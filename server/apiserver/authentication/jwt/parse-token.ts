import { type JSONObject, getOwn, isJSONObject } from '../../../../api/base/json-object.ts';

/** A JSON Web Token whose signature has not been looked at: nothing of it is to be believed. */
export interface UnverifiedToken {
  readonly text: string;
  readonly claims: JSONObject;
  /** '' if the token names none. */
  readonly issuer: string;
}

/** Longer tokens are refused without parsing. The headers of a request cannot contain them, but a TokenReview can. */
export const maxTokenLength = 128 * 1024;

/** Reads a token in the compact form; undefined for everything else. */
export function parseToken(text: string): UnverifiedToken | undefined {
  if (text.length > maxTokenLength || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)) return undefined;
  const payload = text.slice(text.indexOf('.') + 1, text.lastIndexOf('.'));
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (!isJSONObject(claims)) return undefined;
    const issuer = getOwn(claims, 'iss') ?? '';
    if (typeof issuer !== 'string') return undefined;
    // OpenID Connect Core 1.0, 15.6.2: Google's tokens may leave out the scheme.
    return { text, claims, issuer: issuer === 'accounts.google.com' ? 'https://accounts.google.com' : issuer };
  } catch {
    return undefined;
  }
}
