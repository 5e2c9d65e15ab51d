import type HTTP from 'node:http';
import { createRequire } from 'node:module';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { APIRequest, APIResponse, ByteChannel, Transport } from './transport.ts';

/** The module is not imported statically, since that would also load Node's WebSocket and `fetch` clients: 5 MiB that are not used here. */
const http: typeof HTTP = createRequire(import.meta.url)('node:http');

export interface HTTPTransportSettings {
  /** `https://host:port` or `http://host:port`; a path is prepended to every request's. */
  readonly server: string;
  /** PEM of the authorities that may have signed the server's certificate; absent: the machine's. */
  readonly ca?: string | Uint8Array;
  /** PEM of the client's certificate and key. */
  readonly certificate?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Asked for each request, so that a rotated token is used at once. */
  readonly token?: () => string | undefined;
  /** Name to expect in the server's certificate in place of the host. */
  readonly serverName?: string;
  readonly insecureSkipTLSVerify?: boolean;
  readonly clock: Clock;
  /** How many seconds to wait for a connection, and for the answer to a ping on an idle one. */
  readonly timeoutSeconds?: number;
}

type OutgoingHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface HTTPTransport {
  readonly transport: Transport;
  /** Ends all connections; requests under way fail. */
  close(): void;
}

/** Idle time after which an HTTP/2 connection is asked whether its peer still lives. */
const pingAfterMs = 30_000;

/**
 * A Transport over the network: HTTP/2 where the server offers it (many watches on one connection), else HTTP/1.1.
 * Connections that died are replaced with the next request.
 */
export function createHTTPTransport(settings: HTTPTransportSettings): HTTPTransport {
  const url = new URL(settings.server);
  const prefix = url.pathname.replace(/\/+$/, '');
  const isTLS = url.protocol === 'https:';
  const agent = isTLS ? new https.Agent({ keepAlive: true, ...tlsOptions(settings, url) }) : new http.Agent({ keepAlive: true });
  const pool = isTLS ? new SessionPool(settings, url) : undefined;
  const transport: Transport = async (request) => {
    request.signal.throwIfAborted();
    const path = prefix + request.path + (request.query === '' ? '' : `?${request.query}`);
    const headers: Record<string, string | readonly string[]> = { ...request.headers, ...request.repeatedHeaders };
    const token = settings.token?.();
    if (token !== undefined && headers['authorization'] === undefined) headers['authorization'] = `Bearer ${token}`;
    const isUpgrade = request.canUpgrade === true && headers['upgrade'] !== undefined;
    const session = isUpgrade ? undefined : await pool?.session();
    if (session !== undefined) return await sendHTTP2(session, request, path, headers, url.host);
    return await sendHTTP1(isTLS, agent, request, path, headers, url, isUpgrade ? tlsOptions(settings, url) : undefined);
  };
  return {
    transport,
    close() {
      pool?.close();
      agent.destroy();
    },
  };
}

function tlsOptions(settings: HTTPTransportSettings, url: URL): tls.ConnectionOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const serverName = settings.serverName ?? (net.isIP(host) ? '' : host);
  const checked = settings.serverName ?? host;
  return {
    ...(settings.ca === undefined ? {} : { ca: asBuffer(settings.ca) }),
    ...(settings.certificate === undefined ? {} : { cert: asBuffer(settings.certificate) }),
    ...(settings.key === undefined ? {} : { key: asBuffer(settings.key) }),
    servername: serverName,
    rejectUnauthorized: settings.insecureSkipTLSVerify !== true,
    // Each certificate of the authorities is trusted, as in Go, also one that another authority has signed.
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(checked, certificate),
  };
}

function asBuffer(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}

/** The HTTP/2 connections to one server: one, and more only while all of them carry as many streams as they may. */
class SessionPool {
  readonly #settings: HTTPTransportSettings;
  readonly #url: URL;
  readonly #sessions = new Map<http2.ClientHttp2Session, { streams: number }>();
  #connecting: Promise<http2.ClientHttp2Session | undefined> | undefined;
  #speaksHTTP2 = true;
  #isClosed = false;

  constructor(settings: HTTPTransportSettings, url: URL) {
    this.#settings = settings;
    this.#url = url;
  }

  /** A session with room for a stream; undefined where the server speaks HTTP/1.1 only. */
  async session(): Promise<http2.ClientHttp2Session | undefined> {
    if (!this.#speaksHTTP2) return undefined;
    for (const [session, use] of this.#sessions) {
      const limit = Math.min(session.remoteSettings.maxConcurrentStreams ?? 100, 100);
      if (!session.closed && !session.destroyed && use.streams < limit) return session;
    }
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return await this.#connecting;
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.keys()) session.destroy();
    this.#sessions.clear();
  }

  async #connect(): Promise<http2.ClientHttp2Session | undefined> {
    const socket = await connectTLS(this.#settings, this.#url);
    if (socket.alpnProtocol !== 'h2') {
      this.#speaksHTTP2 = false;
      socket.destroy();
      return undefined;
    }
    const session = http2.connect(this.#url.origin, { createConnection: () => socket });
    if (this.#isClosed) session.destroy();
    const use = { streams: 0 };
    this.#sessions.set(session, use);
    const drop = () => void this.#sessions.delete(session);
    session.on('close', drop);
    session.on('goaway', drop);
    // Each stream reports the failure to its own request.
    session.on('error', drop);
    countStreams(session, use);
    this.#keepAlive(session);
    return session;
  }

  /** A peer that vanished without a word is found out by a ping, so that watches do not wait for ever. */
  #keepAlive(session: http2.ClientHttp2Session): void {
    const { clock, timeoutSeconds = 15 } = this.#settings;
    session.setTimeout(pingAfterMs, () => {
      if (session.destroyed) return;
      const timer = clock.setTimer(timeoutSeconds * 1000, () => session.destroy(new Error('the server does not answer pings')), {
        background: true,
      });
      session.ping((error) => {
        timer.cancel();
        if (error && !session.destroyed) session.destroy(error);
      });
    });
  }
}

function countStreams(session: http2.ClientHttp2Session, use: { streams: number }): void {
  const request = session.request.bind(session);
  session.request = (headers, options) => {
    const stream = request(headers, options);
    use.streams++;
    stream.once('close', () => use.streams--);
    return stream;
  };
}

function connectTLS(settings: HTTPTransportSettings, url: URL): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 443),
      ALPNProtocols: ['h2', 'http/1.1'],
      ...tlsOptions(settings, url),
    });
    const timer = settings.clock.setTimer((settings.timeoutSeconds ?? 15) * 1000, () =>
      socket.destroy(new Error(`no connection to ${url.host} within the time allowed`)),
    );
    socket.setNoDelay(true);
    socket.once('secureConnect', () => {
      timer.cancel();
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', (error) => {
      timer.cancel();
      reject(error);
    });
  });
}

function sendHTTP2(
  session: http2.ClientHttp2Session,
  request: APIRequest,
  path: string,
  headers: OutgoingHeaders,
  host: string,
): Promise<APIResponse> {
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': _encoding, connection: _connection, host: _host, ...rest } = headers;
    const stream = session.request(
      { ':method': request.method, ':path': path, ':authority': host, ...rest },
      { endStream: request.body === undefined },
    );
    const onAbort = () => stream.destroy(abortError(request.signal));
    request.signal.addEventListener('abort', onAbort, { once: true });
    stream.once('close', () => {
      request.signal.removeEventListener('abort', onAbort);
      reject(new Error('the connection was closed before the answer'));
    });
    stream.on('error', reject);
    stream.once('response', (head) => {
      const { ':status': status = 0, ...fields } = head;
      resolve({ status, headers: flattenHeaders(fields), body: { kind: 'stream', chunks: stream } });
    });
    if (request.body !== undefined) stream.end(request.body);
  });
}

function sendHTTP1(
  isTLS: boolean,
  agent: HTTP.Agent,
  request: APIRequest,
  path: string,
  headers: OutgoingHeaders,
  url: URL,
  upgradeTLS: tls.ConnectionOptions | undefined,
): Promise<APIResponse> {
  return new Promise((resolve, reject) => {
    const isUpgrade = request.canUpgrade === true && headers['upgrade'] !== undefined;
    const outgoing = (isTLS ? https : http).request({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (isTLS ? 443 : 80),
      method: request.method,
      path,
      headers: { host: url.host, ...headers, ...(request.body === undefined ? {} : { 'content-length': request.body.length }) },
      ...(isUpgrade ? { ...upgradeTLS, agent: false, ALPNProtocols: ['http/1.1'] } : { agent }),
    });
    const onAbort = () => outgoing.destroy(abortError(request.signal));
    request.signal.addEventListener('abort', onAbort, { once: true });
    const release = () => request.signal.removeEventListener('abort', onAbort);
    outgoing.once('close', release);
    outgoing.on('error', reject);
    outgoing.once('response', (incoming) => {
      resolve({ status: incoming.statusCode ?? 0, headers: flattenHeaders(incoming.headers), body: { kind: 'stream', chunks: incoming } });
    });
    outgoing.once('upgrade', (incoming, socket, head) => {
      socket.on('error', () => {}); // until somebody takes the connection over
      release();
      const upgrade = (channel: ByteChannel) => joinSocket(socket, head, channel, request.signal);
      resolve({ status: incoming.statusCode ?? 101, headers: flattenHeaders(incoming.headers), body: { kind: 'none' }, upgrade });
    });
    outgoing.end(request.body);
  });
}

function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the request was given up');
}

function flattenHeaders(headers: HTTP.IncomingHttpHeaders | http2.IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** Carries bytes between a switched connection and the channel of whoever asked for it, until both directions are closed. */
function joinSocket(socket: Duplex, head: Uint8Array, channel: ByteChannel, signal: AbortSignal): void {
  const onAbort = () => socket.destroy(abortError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', (error: Error) => channel.destroy(error));
  socket.once('close', () => {
    signal.removeEventListener('abort', onAbort);
    channel.end();
  });
  const inward = async () => {
    if (head.length > 0) await channel.write(head);
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) await channel.write(chunk as Uint8Array);
    channel.end();
  };
  const outward = async () => {
    for await (const chunk of channel.incoming) {
      if (!socket.write(chunk)) await drained(socket);
    }
    socket.end();
  };
  inward().catch((error: Error) => channel.destroy(error));
  outward().catch((error: Error) => socket.destroy(error));
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      socket.off('drain', settle);
      socket.off('close', settle);
      resolve();
    };
    socket.on('drain', settle);
    socket.on('close', settle);
  });
}
