import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { APIRequest } from '../../../api/client/transport.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { Authenticator, TokenAuthenticator } from './authenticator.ts';
import { findWebSocketToken } from './web-socket-token.ts';

/**
 * Authenticates by `Authorization: Bearer`, or by the WebSocket subprotocol that browsers use in its place. An unknown token is refused.
 */
export function bearerTokenAuthenticator(tokens: TokenAuthenticator): Authenticator {
  return {
    authenticate(request) {
      const token = bearerTokenOf(request);
      if (token === undefined) return undefined;
      const answer = tokens.authenticateToken(token, []);
      return answer instanceof Promise ? answer.then(userOf) : userOf(answer);
    },
  };
}

function userOf(result: Awaited<ReturnType<TokenAuthenticator['authenticateToken']>>): UserInfo {
  if (!result) throw unauthorized('Unauthorized');
  return result.user;
}

function bearerTokenOf({ headers }: APIRequest): string | undefined {
  const [scheme = '', token = ''] = (headers['authorization'] ?? '').trim().split(' ');
  if (scheme.toLowerCase() === 'bearer' && token !== '') return token;
  if ((headers['upgrade'] ?? '').toLowerCase() !== 'websocket') return undefined;
  return findWebSocketToken(headers['sec-websocket-protocol'] ?? '');
}

/** The Warning for an Authorization header whose token is not read, and why. */
export function ignoredTokenWarning({ headers }: APIRequest): string | undefined {
  const [scheme = '', token, third] = (headers['authorization'] ?? '').trim().split(' ');
  if (scheme.toLowerCase() !== 'bearer' || token !== '' || third === undefined) return undefined;
  return 'the provided Authorization header contains extra space before the bearer token, and is ignored';
}
