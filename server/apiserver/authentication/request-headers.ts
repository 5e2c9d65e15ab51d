/** Names of the headers in which a front proxy says who asks. Compared without regard to case. */
export interface RequestHeaderNames {
  /** The first that is there names the user. */
  readonly usernames: readonly string[];
  /** The first that is there has the user's uid. */
  readonly uids: readonly string[];
  /** All values of all of them are groups. */
  readonly groups: readonly string[];
  /** Beginnings of names; the rest of a name is the key of an extra. */
  readonly extraPrefixes: readonly string[];
}

export const defaultRequestHeaders: RequestHeaderNames = {
  usernames: ['X-Remote-User'],
  uids: ['X-Remote-Uid'],
  groups: ['X-Remote-Group'],
  extraPrefixes: ['X-Remote-Extra-'],
};

/** Who is believed when it names users in headers. */
export interface FrontProxyTrust {
  readonly headers: RequestHeaderNames;
  /** Common names of the proxies' certificates. Empty: any. */
  readonly allowedNames: readonly string[];
}

export const defaultFrontProxyTrust: FrontProxyTrust = { headers: defaultRequestHeaders, allowedNames: ['front-proxy-client'] };

/** Tells whether a header, in lower case, is one of those by which users are named. */
export function createRequestHeaderTest({ usernames, uids, groups, extraPrefixes }: RequestHeaderNames): (header: string) => boolean {
  const names = new Set([...usernames, ...uids, ...groups].map((name) => name.toLowerCase()));
  const prefixes = extraPrefixes.map((prefix) => prefix.toLowerCase());
  return (header) => names.has(header) || prefixes.some((prefix) => header.startsWith(prefix));
}
