import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../api/base/clock.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import { maxTokenLength } from './jwt/parse-token.ts';

type TokenResult = Awaited<ReturnType<TokenAuthenticator['authenticateToken']>>;

/** The metrics of a cache of tokens. */
export interface TokenCacheMetrics {
  /** A token was found in the cache, or not. */
  asked(isHit: boolean, seconds: number): void;
  /** Called when a token is looked up; the returned function takes the result. */
  fetching(): (isOK: boolean) => void;
}

interface TokenCacheOptions {
  readonly clock: Clock;
  /** How long a good token stays good, whatever happens to it; 0: it is looked up each time. */
  readonly successTTLMs: number;
  /** The milliseconds for which an unknown token is remembered, if there was no error; 0: it is looked up each time. */
  readonly failureTTLMs: number;
  readonly metrics?: TokenCacheMetrics;
}

const maxTokens = 4096;

/** Remembers tokens by their hash; concurrent requests with the same token share one lookup. */
export function cachedTokenAuthenticator(inner: TokenAuthenticator, options: TokenCacheOptions): TokenAuthenticator {
  const { clock, successTTLMs, failureTTLMs, metrics } = options;
  const known = new LRUCache<string, { readonly result: TokenResult; readonly untilMs: number }>({ max: maxTokens });
  const underWay = new Map<string, Promise<TokenResult>>();
  const fetch = async (token: string, audiences: readonly string[], id: string) => {
    const finish = metrics?.fetching();
    let isOK = false;
    try {
      const result = await inner.authenticateToken(token, audiences);
      isOK = true;
      const ttlMs = result ? successTTLMs : failureTTLMs;
      if (ttlMs > 0) known.set(id, { result, untilMs: clock.monotonicMs() + ttlMs });
      return result;
    } finally {
      finish?.(isOK);
    }
  };
  const share = async (token: string, audiences: readonly string[], id: string, startMs: number) => {
    let lookup = underWay.get(id);
    if (!lookup) {
      lookup = fetch(token, audiences, id).finally(() => underWay.delete(id));
      underWay.set(id, lookup);
    }
    try {
      return await lookup;
    } finally {
      metrics?.asked(false, (clock.monotonicMs() - startMs) / 1000);
    }
  };
  return {
    authenticateToken(token, audiences) {
      if (token.length > maxTokenLength) return undefined;
      const id = hash('sha256', JSON.stringify([token, audiences]), 'base64');
      const nowMs = clock.monotonicMs();
      const hit = known.get(id);
      if (!hit || nowMs >= hit.untilMs) return share(token, audiences, id, nowMs);
      metrics?.asked(true, 0);
      return hit.result;
    },
  };
}
