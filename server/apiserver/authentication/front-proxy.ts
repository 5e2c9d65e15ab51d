import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { Authenticator } from './authenticator.ts';
import type { VerifiedCertificate } from './client-certificate.ts';

const extraPrefix = 'x-remote-extra-';

/**
 * Users that an authenticating proxy vouches for by X-Remote-* headers. They are believed only from a connection with a
 * certificate by the front proxy's own authority and one of the allowed names; from anyone else they mean nothing.
 */
export function frontProxyAuthenticator(
  verifyCertificate: (certificate: Uint8Array) => VerifiedCertificate | undefined,
  allowedNames: readonly string[],
): Authenticator {
  return {
    authenticate({ peer, headers }): UserInfo | undefined {
      const name = headers['x-remote-user'];
      if (name === undefined || name === '' || peer?.certificate === undefined) return undefined;
      const proxy = verifyCertificate(peer.certificate);
      if (!proxy || !allowedNames.includes(proxy.commonName)) return undefined;
      const extra: Record<string, string[]> = {};
      for (const [header, value] of Object.entries(headers)) {
        if (header.startsWith(extraPrefix)) extra[decodeKey(header.slice(extraPrefix.length))] = split(value);
      }
      const uid = headers['x-remote-uid'];
      return {
        name,
        groups: split(headers['x-remote-group'] ?? ''),
        ...(uid === undefined ? {} : { uid }),
        ...(Object.keys(extra).length === 0 ? {} : { extra }),
      };
    },
  };
}

function split(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
