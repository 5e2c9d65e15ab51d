import { lookup as resolve } from 'node:dns';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Timer } from '../../api/base/clock.ts';
import type { WatchedValue } from '../../api/base/watched-value.ts';
import { formatIP, parseIP } from '../../api/base/ip-address.ts';
import type { APIResponse, ByteChannel } from '../../api/client/transport.ts';
import { badRequest } from '../../api/meta/status-errors.ts';
import { StatusError } from '../../api/meta/status.ts';
import { splitWebSocketFrames } from '../../api/streaming/split-websocket-frames.ts';
import type { Dialer, DialTarget } from '../apiserver/subresources/subresource.ts';
import { endToEndHeaders, readHeaders } from './headers.ts';
import { http } from './node-http.ts';
import { createSocketChannel } from './socket-channel.ts';

export interface DialerOptions {
  readonly clock: Clock;
  /** How the API server presents itself to kubelets. */
  readonly kubeletClient: WatchedValue<{ readonly certificatePEM: string; readonly keyPEM: string }>;
  /**
   * The authority of the certificates that kubelets serve with. Absent: they are not verified, for kubelets make their own
   * unless they are told to ask for one.
   */
  readonly kubeletCAPEM?: WatchedValue<string>;
  /**
   * Whether an address and port are the API server's own: whoever controls a Node's status must not have the API server
   * call itself with the certificate that is meant for kubelets.
   */
  readonly isOwnEndpoint?: (address: string, port: number) => boolean;
  /** How long a connection may take to come about. */
  readonly connectTimeoutMs?: number;
}

export interface ClosableDialer extends Dialer {
  /** Closes idle connections. */
  close(): void;
}

/** A failed connection. The message is fit to be shown. */
export class DialError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DialError';
  }
}

type DialRequest = Parameters<Dialer['send']>[1];

/**
 * Makes the API server's own HTTP/1.1 requests to kubelets, pods and services. Redirects are not followed; credentials of the
 * user (authorization, impersonation and front proxy headers) are never passed on. Connections are kept for the next
 * request to the same place; those that switch protocols are not shared.
 */
export function createDialer(options: DialerOptions): ClosableDialer {
  const plain = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const insecure = new https.Agent({ keepAlive: true, maxSockets: 256, rejectUnauthorized: false });
  let kubelet = createKubeletAgent(options);
  const renew = () => {
    // Requests under way go on; their connections are not used again.
    retireAgent(kubelet);
    kubelet = createKubeletAgent(options);
  };
  options.kubeletClient.onChange(renew);
  options.kubeletCAPEM?.onChange(renew);
  const agentFor = (target: DialTarget) => (target.scheme === 'http' ? plain : target.kubelet ? kubelet : insecure);
  return {
    async send(target, request) {
      const isUpgrade = request.canUpgrade === true && request.headers['upgrade'] !== undefined;
      const check = checkFor(target, options);
      if (isIP(target.host) !== 0) check?.(target.host);
      const connect = target.scheme === 'http' ? http.request : https.request;
      const outgoing = connect({
        host: target.host,
        port: target.port,
        method: request.method,
        path: request.query === '' ? request.path : `${request.path}?${request.query}`,
        headers: outgoingHeaders(target, request, isUpgrade),
        agent: agentFor(target),
        timeout: options.connectTimeoutMs ?? 30_000,
        signal: request.signal,
        ...(check ? { lookup: checkedLookup(check) } : {}),
      });
      return exchange(target, outgoing, request, isUpgrade, options.clock);
    },
    close() {
      for (const agent of [plain, insecure, kubelet]) agent.destroy();
    },
  };
}

function createKubeletAgent({ kubeletClient, kubeletCAPEM }: DialerOptions): https.Agent {
  const { certificatePEM: cert, keyPEM: key } = kubeletClient.get();
  return new https.Agent({
    keepAlive: true,
    maxSockets: 256,
    ...{ cert, key },
    ...(kubeletCAPEM === undefined ? { rejectUnauthorized: false } : { ca: kubeletCAPEM.get() }),
  });
}

/** Closes what is idle now, and the others as soon as they are. */
function retireAgent(agent: https.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy();
}

function exchange(
  target: DialTarget,
  outgoing: ClientRequest,
  request: DialRequest,
  isUpgrade: boolean,
  clock: Clock,
): Promise<APIResponse> {
  return new Promise((resolvePromise, reject) => {
    outgoing.on('socket', (socket) => {
      // The timeout is for connecting only: what comes after may take as long as it likes.
      if (!socket.connecting) outgoing.setTimeout(0);
      else socket.once(target.scheme === 'https' ? 'secureConnect' : 'connect', () => outgoing.setTimeout(0));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('i/o timeout')));
    outgoing.on('error', (error) => reject(interpret(target, error, request.signal)));
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
    // An error of the body ends the request, which is told of by its own events.
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
    // After a refused upgrade nobody can tell what the other side takes further bytes for.
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

/** Time that a receiver has to take what was received before the other side closed. */
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

function outgoingHeaders(target: DialTarget, request: DialRequest, isUpgrade: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(endToEndHeaders(request.headers))) if (!userCredentials.test(name)) headers[name] = value;
  headers['host'] ??= isIP(target.host) === 6 ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  delete headers['content-length'];
  const length = request.body?.byteLength ?? request.incoming?.length;
  if (length !== undefined) headers['content-length'] = String(length);
  // Without it some methods would send a body that the other side takes for the next request.
  else if (request.incoming) headers['transfer-encoding'] = 'chunked';
  if (isUpgrade) Object.assign(headers, { connection: 'Upgrade', upgrade: request.headers['upgrade'] ?? '' });
  return headers;
}

const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addSubnet('224.0.0.0', 24, 'ipv4');
local.addAddress('0.0.0.0', 'ipv4');
local.addAddress('::1', 'ipv6');
local.addAddress('::', 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');
local.addSubnet('ff02::', 16, 'ipv6');

/** Throws for addresses that a target must not have; undefined where it may have any. */
function checkFor(target: DialTarget, { isOwnEndpoint }: DialerOptions): ((address: string) => void) | undefined {
  if (!target.refuseLocal && !(target.kubelet && isOwnEndpoint)) return undefined;
  return (address) => {
    const ip = parseIP(address);
    // One with a zone is of this machine only, or the zone is ignored and the address is another than it seems.
    if (!ip && isIP(address) !== 0) throw badRequest('address not allowed');
    const plain = ip ? formatIP(ip) : address;
    const isLocal = target.refuseLocal && local.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
    if (isLocal || (target.kubelet && isOwnEndpoint?.(plain, target.port))) throw badRequest('address not allowed');
  };
}

/** Resolves a name once, at the moment of connecting: a name cannot change its mind in between. */
const checkedLookup =
  (check: (address: string) => void): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      if (error) return callback(error, address, family);
      try {
        for (const one of typeof address === 'string' ? [address] : (address as { address: string }[]).map((entry) => entry.address))
          check(one);
      } catch (refusal) {
        return callback(refusal as Error, address, family);
      }
      callback(null, address, family);
    });
  };

function interpret(target: DialTarget, error: Error & { code?: string }, signal: AbortSignal): Error {
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
