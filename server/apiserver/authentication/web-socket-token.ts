import { unauthorized } from '../../../api/meta/status-errors.ts';

/** Browsers cannot set headers of a WebSocket request, so the token is one of the offered protocols. */
const prefix = 'base64url.bearer.authorization.k8s.io.';

function splitProtocols(header: string): string[] {
  return header.split(',').map((name) => name.trim());
}

/**
 * The token among the protocols of a Sec-WebSocket-Protocol header. Throws 401 for several tokens, for a token without another protocol,
 * and for one that cannot be decoded.
 */
export function findWebSocketToken(header: string): string | undefined {
  const protocols = splitProtocols(header);
  const [token, second] = protocols.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  if (token === undefined) return undefined;
  const isAlone = protocols.every((name) => name === '' || name.startsWith(prefix));
  if (second !== undefined || isAlone || !/^[\w-]+$/.test(token)) throw unauthorized('Unauthorized');
  return Buffer.from(token, 'base64url').toString('utf8');
}

/** The header without protocols that are tokens; empty if nothing else was offered. */
export function withoutToken(header: string): string {
  if (!header.includes(prefix)) return header;
  return splitProtocols(header)
    .filter((name) => !name.startsWith(prefix))
    .join(', ');
}
