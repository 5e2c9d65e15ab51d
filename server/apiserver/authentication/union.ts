import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../api/base/clock.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { Authenticator, TokenAuthenticator } from './authenticator.ts';

/** The first that knows the caller decides; a bad credential is refused only if no other is good. */
export function unionAuthenticator(authenticators: readonly Authenticator[]): Authenticator {
  return {
    async authenticate(request) {
      let failure: unknown;
      for (const authenticator of authenticators) {
        try {
          const answer = authenticator.authenticate(request);
          const user = answer instanceof Promise ? await answer : answer;
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

/** The first that knows the token decides; what the others say of it is shown only if none does. */
export function unionTokenAuthenticator(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const refusals = new Set<string>();
      let failure: unknown;
      for (const authenticator of authenticators) {
        try {
          const result = await authenticator.authenticateToken(token, audiences);
          if (result) return result;
        } catch (error) {
          if (error instanceof StatusError && error.code === 401) refusals.add(error.message);
          else failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
      if (refusals.size > 0) throw unauthorized(aggregateMessage([...refusals]));
      return undefined;
    },
  };
}

/** Several messages as upstream joins them. */
export function aggregateMessage(messages: readonly string[]): string {
  return messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`;
}

/** Tokens found good stay good for this long, whatever happens to them: as upstream. */
const successTTLMs = 10_000;
const maxTokens = 4096;

type TokenResult = NonNullable<Awaited<ReturnType<TokenAuthenticator['authenticateToken']>>>;

/** Remembers tokens that were found good, by their hash. */
export function cachedTokenAuthenticator(inner: TokenAuthenticator, clock: Clock): TokenAuthenticator {
  const known = new LRUCache<string, { readonly result: TokenResult; readonly untilMs: number }>({ max: maxTokens });
  const ask = async (token: string, audiences: readonly string[], id: string, nowMs: number) => {
    const result = await inner.authenticateToken(token, audiences);
    if (result) known.set(id, { result, untilMs: nowMs + successTTLMs });
    return result;
  };
  return {
    authenticateToken(token, audiences) {
      const id = hash('sha256', JSON.stringify([token, audiences]), 'base64');
      const nowMs = clock.monotonicMs();
      const hit = known.get(id);
      return hit && nowMs < hit.untilMs ? hit.result : ask(token, audiences, id, nowMs);
    },
  };
}
