import type { Clock } from '../../../../api/base/clock.ts';
import type { JSONObject } from '../../../../api/base/json-object.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import { quote } from '../../../../api/base/quote.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import { findTokenProblem } from './check-token.ts';
import { expandDistributedClaim } from './distributed-claims.ts';
import type { IssuerClient } from './issuer-client.ts';
import type { JWTMetrics } from './jwt-metrics.ts';
import { mapClaims, type Yield } from './map-claims.ts';
import type { UnverifiedToken } from './parse-token.ts';
import { createProvider, type Provider } from './provider.ts';
import type { JWTAuthenticatorConfiguration } from './validate-configuration.ts';

export interface JWTDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: JWTMetrics;
  /** A client that trusts the authorities in PEM; undefined: those of the machine. */
  createClient(certificateAuthority: string | undefined): IssuerClient;
  readonly pause: Yield;
}

/** Authenticates the tokens of one issuer. */
export interface JWTAuthenticator {
  readonly issuer: string;
  /** The provider's problem at the moment; undefined: it is ready. */
  readonly problem: string | undefined;
  /** Rejects with an Error for a token that is not good. */
  authenticate(token: UnverifiedToken): Promise<UserInfo>;
  /** Discovers the provider; until then tokens are refused. */
  run(signal: AbortSignal): Promise<void>;
}

export const signingAlgorithms = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** Issuers of distributed claims besides the token's own: each is asked for its documents until it has answered. */
const maxOtherIssuers = 16;

export function createJWTAuthenticator(
  configuration: JWTAuthenticatorConfiguration,
  algorithms: readonly SigningAlgorithm[],
  dependencies: JWTDependencies,
): JWTAuthenticator {
  const { clock, metrics } = dependencies;
  const { url: issuer, discoveryURL, certificateAuthority, audiences } = configuration.issuer;
  const client = dependencies.createClient(certificateAuthority);
  const onKeysFetched = (body: Uint8Array | undefined) => metrics.keysFetched(issuer, body);
  const common = { client, clock, logger: dependencies.logger };
  const provider = createProvider({ issuer, ...(discoveryURL === undefined ? {} : { discoveryURL }), ...common, onKeysFetched });
  const others = new Map<string, Provider>();
  let lifetime: AbortSignal | undefined;
  const findProvider = (name: string): Provider => {
    if (others.size >= maxOtherIssuers && !others.has(name)) throw new Error(`too many issuers of distributed claims`);
    let found = others.get(name);
    if (!found) {
      others.set(name, (found = createProvider({ issuer: name, ...common, onKeysFetched: () => {} })));
      if (lifetime) void found.discover(lifetime);
    }
    return found;
  };
  const verify = async ({ text, claims }: UnverifiedToken, { keys }: Provider, notReady: string) => {
    if (!keys) throw new Error(notReady);
    const problem = findTokenProblem(claims, audiences, clock.nowMs());
    if (problem !== undefined) throw new Error(problem);
    await keys.verify(text, algorithms);
  };
  const verifyDistributed = async (token: UnverifiedToken) => {
    const notReady = `verifying untrusted issuer ${token.issuer} failed: verifier not initialized for issuer: ${quote(token.issuer)}`;
    await verify(token, findProvider(token.issuer), notReady).catch((error: Error) => {
      throw error.message === notReady ? error : new Error(`verify distributed claim token: ${error.message}`, { cause: error });
    });
  };
  const expand = async (claims: JSONObject): Promise<JSONObject> => {
    const { groups } = configuration;
    if (!groups || 'expression' in groups) return claims;
    return expandDistributedClaim(claims, { claim: groups.claim, client, verify: verifyDistributed }).catch((error: Error) => {
      throw new Error(`oidc: could not expand distributed claims: ${error.message}`, { cause: error });
    });
  };
  const check = async (token: UnverifiedToken): Promise<UserInfo> => {
    const notReady = 'oidc: authenticator not initialized';
    await verify(token, provider, notReady).catch((error: Error) => {
      throw error.message === notReady ? error : new Error(`oidc: verify token: ${error.message}`, { cause: error });
    });
    return mapClaims(configuration, await expand(token.claims), dependencies.pause);
  };
  return {
    issuer,
    get problem() {
      return provider.problem === undefined
        ? undefined
        : `oidc: authenticator for issuer ${quote(issuer)} is not healthy: ${provider.problem}`;
    },
    async authenticate(token) {
      const startMs = clock.monotonicMs();
      const observe = (result: 'success' | 'failure') => metrics.authenticated(result, issuer, (clock.monotonicMs() - startMs) / 1000);
      try {
        const user = await check(token);
        observe('success');
        return user;
      } catch (error) {
        observe('failure');
        throw error;
      }
    },
    async run(signal) {
      lifetime = signal;
      await provider.discover(signal);
    },
  };
}
