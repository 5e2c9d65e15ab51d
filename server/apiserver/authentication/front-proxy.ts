import { headerValues } from '../../../api/client/header-values.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { Authenticator } from './authenticator.ts';
import type { VerifyCertificate } from './client-certificate.ts';
import { decodeHeaderKey } from './decode-header-key.ts';
import type { FrontProxyTrust } from './request-headers.ts';

/**
 * Users that an authenticating proxy vouches for by headers (X-Remote-User, ...). They are believed only from a connection with
 * a certificate by the front proxy's own authority and one of the allowed names; from anyone else they mean nothing.
 */
export function frontProxyAuthenticator(
  verifyCertificate: VerifyCertificate,
  { headers: names, allowedNames }: FrontProxyTrust,
): Authenticator {
  const lower = (list: readonly string[]) => list.map((name) => name.toLowerCase());
  const [usernames, uids, groups, prefixes] = [names.usernames, names.uids, names.groups, names.extraPrefixes].map(lower);
  return {
    authenticate(request): UserInfo | undefined {
      const { peer, headers } = request;
      const first = (candidates: readonly string[] = []) =>
        candidates.map((candidate) => headerValues(request, candidate)[0] ?? '').find((value) => value !== '');
      const name = first(usernames);
      if (name === undefined || peer?.certificate === undefined) return undefined;
      const proxy = verifyCertificate(peer);
      if (!proxy || (allowedNames.length > 0 && !allowedNames.includes(proxy.commonName))) return undefined;
      const extra = new Map<string, string[]>();
      for (const header of Object.keys(headers)) {
        const prefix = prefixes?.find((candidate) => header.startsWith(candidate));
        if (prefix === undefined) continue;
        const key = decodeHeaderKey(header.slice(prefix.length));
        extra.set(key, [...(extra.get(key) ?? []), ...headerValues(request, header)]);
      }
      const uid = first(uids);
      return {
        name,
        groups: (groups ?? []).flatMap((header) => headerValues(request, header)).filter((group) => group !== ''),
        ...(uid === undefined ? {} : { uid }),
        ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
      };
    },
  };
}
