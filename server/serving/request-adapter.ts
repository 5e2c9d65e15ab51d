import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Peer } from '../../api/client/transport.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** A percent sign that is not followed by two hexadecimal digits: Go's HTTP server answers 400 too. */
const brokenEscape = /%(?![\da-f]{2})/i;

/** Path and raw query of a request target; undefined if it is none that an origin server answers (RFC 9112 3.2). */
export function parseTarget(target: string): { readonly path: string; readonly query: string } | undefined {
  let rest = target;
  if (!rest.startsWith('/')) {
    const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(rest);
    if (!absolute) return undefined;
    rest = absolute[1] ?? '';
    if (!rest.startsWith('/')) rest = `/${rest}`;
  }
  const fragment = rest.indexOf('#');
  if (fragment >= 0) rest = rest.slice(0, fragment);
  const mark = rest.indexOf('?');
  if (brokenEscape.test(mark < 0 ? rest : rest.slice(0, mark))) return undefined;
  return mark < 0 ? { path: rest, query: '' } : { path: rest.slice(0, mark), query: rest.slice(mark + 1) };
}

/** Whether a request names more than one host: proxies may have used another one than this server (RFC 9112 3.2). */
export function namesSeveralHosts(request: NodeRequest): boolean {
  if ('stream' in request) return false;
  const { rawHeaders } = request;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts++;
  return hosts > 1;
}

const peers = new WeakMap<object, Peer>();

/** The peer of a connection; found out once per connection. */
export function peerOf(request: NodeRequest): Peer {
  const connection: object = 'stream' in request ? (request.stream.session ?? request.stream) : request.socket;
  const known = peers.get(connection);
  if (known) return known;
  const socket = request.socket as TLSSocket;
  const [certificate, ...intermediates] = certificatesOf(socket);
  const peer: Peer = {
    address: socket.remoteAddress ?? '',
    ...(certificate ? { certificate } : {}),
    ...(intermediates.length > 0 ? { intermediates } : {}),
  };
  peers.set(connection, peer);
  return peer;
}

const maxCertificates = 10;

/** The client's certificate, and those that it has sent to prove whose it is. */
function certificatesOf(socket: TLSSocket): Buffer[] {
  const found: Buffer[] = [];
  for (let one = socket.getPeerX509Certificate?.(); one && found.length < maxCertificates; one = one.issuerCertificate) {
    const { raw } = one;
    if (found.some((known) => known.equals(raw))) break;
    found.push(raw);
  }
  return found;
}
