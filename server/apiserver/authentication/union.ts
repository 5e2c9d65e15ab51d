import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../api/base/clock.ts';
import type { Authenticator, TokenAuthenticator } from './authenticator.ts';

/** The first that knows the caller decides; a bad credential is refused only if no other is good. */
export function unionAuthenticator(authenticators: readonly Authenticator[]): Authenticator {
  return {
    async authenticate(request) {
      let failure: unknown;
      for (const authenticator of authenticators) {
        try {
          const user = await authenticator.authenticate(request);
          if (user) return user;
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
      return undefined;
    },
  };
}

export function unionTokenAuthenticator(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      for (const authenticator of authenticators) {
        const result = await authenticator.authenticateToken(token, audiences);
        if (result) return result;
      }
      return undefined;
    },
  };
}

/** Tokens found good stay good for this long, whatever happens to them: as upstream. */
const successTTLMs = 10_000;
const maxTokens = 4096;

type TokenResult = NonNullable<Awaited<ReturnType<TokenAuthenticator['authenticateToken']>>>;

/** Remembers tokens that were found good, by their hash. */
export function cachedTokenAuthenticator(inner: TokenAuthenticator, clock: Clock): TokenAuthenticator {
  const known = new LRUCache<string, { readonly result: TokenResult; readonly untilMs: number }>({ max: maxTokens });
  return {
    async authenticateToken(token, audiences) {
      const id = createHash('sha256').update(token).update('\0').update(audiences.join('\0')).digest('base64');
      const nowMs = clock.monotonicMs();
      const hit = known.get(id);
      if (hit && nowMs < hit.untilMs) return hit.result;
      const result = await inner.authenticateToken(token, audiences);
      if (result) known.set(id, { result, untilMs: nowMs + successTTLMs });
      return result;
    },
  };
}
