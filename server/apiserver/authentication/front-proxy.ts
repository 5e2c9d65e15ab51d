import { headerValues } from '../../../api/client/header-values.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { Authenticator } from './authenticator.ts';
import type { VerifyCertificate } from './client-certificate.ts';
import { decodeHeaderKey } from './decode-header-key.ts';

const extraPrefix = 'x-remote-extra-';

/**
 * Authenticates users by the X-Remote-* headers of an authenticating proxy. They count only on a connection with a certificate by the front
 * proxy's own authority and one of the allowed names, and are ignored otherwise.
 */
export function frontProxyAuthenticator(verifyCertificate: VerifyCertificate, allowedNames: readonly string[]): Authenticator {
  return {
    authenticate(request): UserInfo | undefined {
      const { peer, headers } = request;
      const [name] = headerValues(request, 'x-remote-user');
      if (name === undefined || name === '' || peer?.certificate === undefined) return undefined;
      const proxy = verifyCertificate(peer);
      if (!proxy || !allowedNames.includes(proxy.commonName)) return undefined;
      const extra = new Map<string, string[]>();
      for (const header of Object.keys(headers)) {
        if (!header.startsWith(extraPrefix)) continue;
        const key = decodeHeaderKey(header.slice(extraPrefix.length));
        extra.set(key, [...(extra.get(key) ?? []), ...headerValues(request, header)]);
      }
      const [uid = ''] = headerValues(request, 'x-remote-uid');
      return {
        name,
        groups: headerValues(request, 'x-remote-group').filter((group) => group !== ''),
        ...(uid === '' ? {} : { uid }),
        ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
      };
    },
  };
}
