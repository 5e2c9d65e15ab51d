import { type Clock, sleep } from '../../../../api/base/clock.ts';
import { getOwn, isJSONObject } from '../../../../api/base/json-object.ts';
import { quote } from '../../../../api/base/quote.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import { type IssuerClient, readJSONAnswer } from './issuer-client.ts';
import { createRemoteKeySet, type KeySet } from './key-set.ts';

interface ProviderOptions {
  readonly issuer: string;
  /** Absent: the well-known path of the issuer. */
  readonly discoveryURL?: string;
  readonly client: IssuerClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for each attempt to fetch the keys; undefined: it failed. */
  onKeysFetched(body: Uint8Array | undefined): void;
}

/** An OpenID Connect provider. Its discovery document is requested until it is available. */
export interface Provider {
  /** undefined: the provider has not been discovered yet. */
  readonly keys: KeySet | undefined;
  /** The problem at the moment; undefined: there is none. */
  readonly problem: string | undefined;
  /** Asks for the discovery document, again every ten seconds, until it is there or the signal is aborted. */
  discover(signal: AbortSignal): Promise<void>;
}

const retryMs = 10_000;

export function createProvider(options: ProviderOptions): Provider {
  const { issuer, client, clock, logger } = options;
  let keys: KeySet | undefined;
  let problem: string | undefined = `oidc: authenticator for issuer ${quote(issuer)} is not initialized`;
  const url = options.discoveryURL ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return {
    get keys() {
      return keys;
    },
    get problem() {
      return problem;
    },
    async discover(signal) {
      while (!signal.aborted) {
        try {
          const jwksURL = readDiscoveryDocument(readJSONAnswer(await client.get(url, { signal })), issuer);
          keys = createRemoteKeySet({ url: jwksURL, client, clock, signal, onFetch: (body) => options.onKeysFetched(body) });
          problem = undefined;
          return;
        } catch (error) {
          if (signal.aborted) return;
          problem = error instanceof Error ? error.message : String(error);
          logger.error('oidc authenticator: initializing plugin', { issuer, url, error });
        }
        await sleep(clock, retryMs, signal).catch(() => undefined); // aborted
      }
    },
  };
}

/** The URL of the keys. Throws where the document is of another issuer or names no keys. */
function readDiscoveryDocument(document: unknown, issuer: string): string {
  const [found, jwksURL] = isJSONObject(document) ? [getOwn(document, 'issuer'), getOwn(document, 'jwks_uri')] : [];
  const name = typeof found === 'string' ? found : '';
  if (name !== issuer)
    throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${quote(issuer)} got ${quote(name)}`);
  if (typeof jwksURL !== 'string' || jwksURL === '') throw new Error('provider did not return JWKS URL');
  return jwksURL;
}
