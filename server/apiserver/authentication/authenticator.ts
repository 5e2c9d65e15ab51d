import type { APIRequest } from '../../../api/client/transport.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';

/**
 * Authenticates the client of a request. undefined: it has no credential of this kind; throws StatusError 401 for a bad credential. A known
 * credential is answered at once and with the same UserInfo object, which others use as a key.
 */
export interface Authenticator {
  authenticate(request: APIRequest): UserInfo | undefined | Promise<UserInfo | undefined>;
}

/** Checks a bearer token on behalf of TokenReview and of the bearer token authenticator. */
export interface TokenAuthenticator {
  authenticateToken(token: string, audiences: readonly string[]): TokenAnswer | Promise<TokenAnswer>;
}

type TokenAnswer = { readonly user: UserInfo; readonly audiences: readonly string[] } | undefined;

/** Makes and signs service account tokens. */
export interface TokenIssuer {
  /** Audiences of tokens if no other was asked for. */
  readonly defaultAudiences: readonly string[];
  issue(claims: {
    readonly namespace: string;
    readonly serviceAccount: { readonly name: string; readonly uid: string };
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
    readonly boundObject?: { readonly kind: 'Pod' | 'Secret' | 'Node'; readonly name: string; readonly uid: string };
    /** The node a bound pod runs on. */
    readonly node?: { readonly name: string; readonly uid: string };
  }): Promise<{ readonly token: string; readonly expirationMs: number }>;
}
