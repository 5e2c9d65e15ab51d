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

/** The first authenticator that knows the token decides; the errors of the others are reported only if none does. */
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
