import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Timer } from '../../api/base/clock.ts';
import type { APIResponse, ByteChannel, IncomingBody } from '../../api/client/transport.ts';
import { StatusError } from '../../api/meta/status.ts';
import { splitWebSocketFrames } from '../../api/streaming/split-websocket-frames.ts';
import { encodeValue, endToEndHeaders, readHeaders } from './headers.ts';
import { createSocketChannel } from './socket-channel.ts';

/** A failed connection. The message is fit to be shown. */
export class DialError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DialError';
  }
}

/** A host and port, without or with TLS. */
interface Place {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/** A request that is passed on, or made by the API server itself. */
interface ExchangedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly incoming?: IncomingBody;
  readonly signal: AbortSignal;
}

/**
 * Sends the request whose head is `outgoing`, and resolves with the head of the answer. Rejects with a DialError, or if the signal is
 * aborted.
 */
export function exchange(
  target: Place,
  outgoing: ClientRequest,
  request: ExchangedRequest,
  isUpgrade: boolean,
  clock: Clock,
): Promise<APIResponse> {
  return new Promise((resolvePromise, reject) => {
    outgoing.on('socket', (socket) => {
      // The timeout is only for connecting; the request itself may take any time.
      if (!socket.connecting) outgoing.setTimeout(0);
      else socket.once(target.scheme === 'https' ? 'secureConnect' : 'connect', () => outgoing.setTimeout(0));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('i/o timeout')));
    outgoing.on('error', (error) => reject(interpretDialFailure(target, error, request.signal)));
    outgoing.on('response', (incoming) => resolvePromise(readResponse(incoming, isUpgrade)));
    outgoing.on('upgrade', (incoming, socket, head) => {
      // The filters come before the channel: a backend that resets the connection meanwhile ends it and nothing else.
      socket.on('error', () => {});
      if (isUpgrade) resolvePromise(switched(incoming, socket, head, clock));
      else {
        socket.destroy();
        reject(new DialError('the backend switched protocols without being asked to'));
      }
    });
    // An error of the body ends the request, which reports it by its own events.
    if (request.incoming) pipeline(request.incoming.chunks(), outgoing).catch(() => {});
    else outgoing.end(request.body);
  });
}

function readResponse(incoming: IncomingMessage, isUpgrade: boolean): APIResponse {
  const headers = endToEndHeaders(readHeaders(incoming.headers));
  const cookies = incoming.headers['set-cookie'];
  if (cookies) headers['set-cookie'] = cookies.join('\n');
  return { status: incoming.statusCode ?? 502, headers, body: { kind: 'stream', chunks: readChunks(incoming, isUpgrade) } };
}

async function* readChunks(incoming: IncomingMessage, isUpgrade: boolean): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) yield chunk;
  } finally {
    // After a refused upgrade it is unknown how the other side interprets further bytes.
    if (isUpgrade || !incoming.complete) incoming.destroy();
  }
}

function switched(incoming: IncomingMessage, socket: Duplex, head: Buffer, clock: Clock): APIResponse {
  const headers = readHeaders(incoming.headers);
  delete headers['connection'];
  return {
    status: 101,
    headers,
    body: { kind: 'none' },
    upgrade: (channel) => join(channel, createSocketChannel(socket, head), headers['upgrade']?.toLowerCase() === 'websocket', clock),
  };
}

/**
 * Connects two channels until both have ended, or one is cut. Each frame of a WebSocket is written to the client alone, and so
 * gets a TLS record of its own, as from a kube-apiserver: the Python client polls the socket before it reads a frame, and would
 * never see a second frame of the same record, which is already in its TLS library.
 */
function join(client: ByteChannel, backend: ByteChannel, isWebSocket: boolean, clock: Clock): void {
  void forward(client.incoming, client, backend, clock);
  void forward(isWebSocket ? splitWebSocketFrames(backend.incoming) : backend.incoming, backend, client, clock);
}

/** The milliseconds that a receiver has for taking data that arrived before the other side closed. */
const lingerMs = 10_000;

async function forward(chunks: AsyncIterable<Uint8Array>, from: ByteChannel, to: ByteChannel, clock: Clock): Promise<void> {
  let isDone = false;
  let linger: Timer | undefined;
  void from.closed.then(() => {
    if (!isDone) linger = clock.setTimer(lingerMs, () => to.destroy(), { background: true });
  });
  try {
    for await (const chunk of chunks) await to.write(chunk);
    to.end();
  } catch {
    from.destroy();
    to.destroy();
  } finally {
    isDone = true;
    linger?.cancel();
  }
}

const userCredentials = /^(authorization$|impersonate-|x-remote-)/;

/** The headers of a request that is passed on, without the user's credentials and connection headers. */
export function outgoingHeaders(target: Place, request: ExchangedRequest, isUpgrade: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(endToEndHeaders(request.headers)))
    if (!userCredentials.test(name)) headers[name] = encodeValue(value);
  headers['host'] ??= isIP(target.host) === 6 ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  delete headers['content-length'];
  const length = request.body?.byteLength ?? request.incoming?.length;
  if (length !== undefined) headers['content-length'] = String(length);
  // Without it some methods would send a body that the other side takes for the next request.
  else if (request.incoming) headers['transfer-encoding'] = 'chunked';
  if (isUpgrade) Object.assign(headers, { connection: 'Upgrade', upgrade: request.headers['upgrade'] ?? '' });
  return headers;
}

export function interpretDialFailure(target: Place, error: Error & { code?: string }, signal: AbortSignal): Error {
  if (error instanceof DialError || error instanceof StatusError || signal.aborted) return error;
  const place = isIP(target.host) === 6 ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  const texts: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  const text = texts[error.code ?? ''];
  if (text !== undefined || error.message === 'i/o timeout') return new DialError(`dial tcp ${place}: ${text ?? 'i/o timeout'}`, error);
  if (error.code === 'ENOTFOUND') return new DialError(`dial tcp: lookup ${target.host}: no such host`, error);
  if (error.code === 'ECONNRESET') return new DialError('EOF', error);
  return new DialError(error.message, error);
}
