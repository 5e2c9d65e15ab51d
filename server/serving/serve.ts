import express from 'express';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createSecureServer, type Http2SecureServer, Http2ServerRequest, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { TLSSettings } from '../../api/base/tls-settings.ts';
import type { Transport } from '../../api/client/transport.ts';
import { type BodyMemoryLimits, createBodyMemory } from './body-memory.ts';
import { endConnection } from './end-connection.ts';
import { handleRequest } from './handle-request.ts';
import { handleUpgrade } from './handle-upgrade.ts';
import { createServingContexts, type ServingContexts } from './serving-contexts.ts';
import { createMessageClasses } from './message-classes.ts';
import type { NamedCertificate, ServingCertificate } from './named-certificates.ts';
import { findRefusal, plainRefusal, reasonOf } from './protocol-version.ts';
import type { NodeRequest } from './request-adapter.ts';
import { createTurns } from './turns.ts';
import { createWriteTurns } from './write-turns.ts';
import type { NodeResponse } from './body-writer.ts';

export interface ServeOptions {
  readonly transport: Transport;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly certificate: ServingCertificate;
  /** Certificates for clients that ask for their names. */
  readonly named?: readonly NamedCertificate[];
  /** Absent: as Go has it. */
  readonly tls?: TLSSettings;
  /** The most concurrent requests of one HTTP/2 connection. 0 or absent: 1000. */
  readonly maxStreamsPerConnection?: number;
  /** The share of HTTP/2 requests after which the client is told to open another connection. Absent: none. */
  readonly goaway?: { readonly chance: number; readonly random: Random };
  /** Named to clients that are asked for a certificate. Whether to believe a certificate is decided behind the transport. */
  readonly clientCAsPEM: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bodyMemory?: BodyMemoryLimits;
  readonly connections?: ConnectionLimits;
}

export interface CertificateChange {
  readonly clientCAsPEM?: readonly string[];
  readonly named?: readonly NamedCertificate[];
}

export interface ServingEndpoint {
  readonly host: string;
  readonly port: number;
  /** Sets the certificates of new connections. Absent ones stay. */
  setCertificate(certificate: ServingCertificate, change?: CertificateChange): void;
  /**
   * Stops accepting connections, tells HTTP/2 clients to go elsewhere, and waits for requests under way: for `finished`,
   * which is when the API server has ended watches and answered the others, and up to `graceMs` more; then cuts what is left.
   * A client that does not read its answer holds this up for half a minute at most.
   */
  close(graceMs: number, finished?: Promise<unknown>): Promise<void>;
}

/** All informers of a client share one connection, and each uses a stream. */
const maxConcurrentStreams = 1000;

/** Serves a Transport over TLS on one port: HTTP/2 and HTTP/1.1 by ALPN, with protocol upgrades on HTTP/1.1. */
export async function serve(options: ServeOptions): Promise<ServingEndpoint> {
  const app = express();
  const { transport, logger, clock } = options;
  const handling = {
    transport,
    logger,
    clock,
    turns: createTurns(),
    bodyMemory: createBodyMemory(options.bodyMemory),
    writeTurns: createWriteTurns(clock),
  };
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request, response) => {
    const refusal = isHTTP2(request) ? undefined : findRefusal(request);
    if (refusal !== undefined) return endConnection(request.socket, plainRefusal(refusal));
    sendAway(options.goaway, request as NodeRequest);
    handleRequest(handling, request as NodeRequest, response as NodeResponse).catch((error: unknown) =>
      abandon(request.socket, options.logger, error),
    );
  });
  const contexts = createServingContexts(options);
  const server = createServer(options, contexts, app);
  const connections = trackConnections(server, options.connections ?? defaultConnections);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = findRefusal(request);
    if (refusal !== undefined) return endConnection(socket, plainRefusal(refusal));
    handleUpgrade(handling, request, socket, head).catch((error: unknown) => abandon(socket, options.logger, error));
  });
  server.on('clientError', refuseMalformed);
  server.on('sessionError', (error) => options.logger.debug('HTTP/2 session failed', { error }));
  server.on('tlsClientError', (error) => options.logger.debug('TLS handshake failed', { error }));
  server.listen(options.port, options.host);
  await once(server, 'listening');
  server.on('error', (error) => options.logger.error('the listener failed', { error }));
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    setCertificate(certificate, change = {}) {
      contexts.change(certificate, change);
      server.setSecureContext(contexts.current());
    },
    close: (graceMs, finished = Promise.resolve()) => closeGracefully(server, connections, options.clock, { graceMs, finished }),
  };
}

/** Not by its version: a connection of HTTP/1 may carry a request that says HTTP/2.0. */
function isHTTP2(request: object): boolean {
  return request instanceof Http2ServerRequest;
}

/** Tells some HTTP/2 clients to open another connection, which a load balancer may direct to another server. */
function sendAway(goaway: ServeOptions['goaway'], request: NodeRequest): void {
  if (goaway && request.httpVersionMajor === 2 && goaway.random.next() < goaway.chance)
    (request as unknown as Http2ServerRequest).stream.session?.close();
}

function createServer(options: ServeOptions, contexts: ServingContexts, app: express.Express): Http2SecureServer {
  const server = createSecureServer(
    {
      ...createMessageClasses(app),
      ...contexts.current(),
      SNICallback: contexts.findByName,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      allowHTTP1: true,
      handshakeTimeout: 10_000,
      // In megabytes. A reader that does not drain a large list must not end the other requests on its connection.
      maxSessionMemory: 1000,
      settings: {
        maxConcurrentStreams: options.maxStreamsPerConnection || maxConcurrentStreams,
        initialWindowSize: 256 * 1024,
        maxHeaderListSize: 128 * 1024,
      },
      // HTTP/1.1: a head must arrive within the minute (slowloris), a body within five.
      http1Options: { keepAliveTimeout: 120_000, headersTimeout: 60_000, requestTimeout: 300_000, requireHostHeader: false },
      maxHeaderSize: 128 * 1024,
    } as Parameters<typeof createSecureServer>[0],
    app as unknown as (request: unknown, response: unknown) => void,
  );
  contexts.chooseByAddress(server);
  // Headers beyond a number would be dropped in silence, Impersonate-User among them: bytes are the limit.
  Object.assign(server, { keepAliveTimeout: 120_000, headersTimeout: 60_000, requestTimeout: 300_000, maxHeadersCount: 0 });
  return server;
}

interface Grace {
  readonly graceMs: number;
  readonly finished: Promise<unknown>;
}

interface Connections {
  readonly sockets: Set<Socket>;
  readonly sessions: Set<ServerHttp2Session>;
}

/** Limits on connections, so that there are descriptors left for the store, and connections for other clients. */
interface ConnectionLimits {
  readonly total: number;
  /** The most connections from one address of another machine. */
  readonly perAddress: number;
}

const defaultConnections: ConnectionLimits = { total: 10_000, perAddress: 2500 };

function trackConnections(server: Http2SecureServer, limits: ConnectionLimits): Connections {
  const connections: Connections = { sockets: new Set(), sessions: new Set() };
  const admit = limitConnections(limits);
  server.on('connection', (socket: Socket) => {
    if (!admit(socket)) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    connections.sockets.add(socket);
    socket.once('close', () => connections.sockets.delete(socket));
  });
  server.on('session', (session) => {
    connections.sessions.add(session);
    session.on('error', () => {});
    session.once('close', () => connections.sessions.delete(session));
  });
  return connections;
}

function limitConnections({ total, perAddress }: ConnectionLimits): (socket: Socket) => boolean {
  const open = new Map<string, number>();
  let all = 0;
  return (socket) => {
    const address = socket.remoteAddress ?? '';
    const own = open.get(address) ?? 0;
    if (all >= total || (own >= perAddress && !isLoopback(address))) return false;
    all++;
    open.set(address, own + 1);
    socket.once('close', () => {
      all--;
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    return true;
  };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** How long requests under way may take in all, of which a client may never read the answer. */
const maxUnderWayMs = 30_000;
/** How often connections are looked for on which the answer under way was the last. */
const idleCheckMs = 50;

async function closeGracefully(
  server: Http2SecureServer,
  { sockets, sessions }: Connections,
  clock: Clock,
  { graceMs, finished }: Grace,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const session of sessions) session.close();
  const timers = new Map<string, Timer>();
  const later = (name: string, delayMs: number, run: () => void) => {
    timers.get(name)?.cancel();
    timers.set(name, clock.setTimer(delayMs, run));
  };
  const closeIdle = () => {
    // The method of HTTP/1.1; the types do not know that this server has it too.
    (server as unknown as { closeIdleConnections?: () => void }).closeIdleConnections?.();
    later('idle', idleCheckMs, closeIdle);
  };
  const cut = () => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  };
  let isClosed = false;
  const limit = () => {
    if (!isClosed) later('cut', graceMs, cut);
  };
  closeIdle();
  later('cut', maxUnderWayMs, cut);
  finished.then(limit, limit);
  await closed;
  isClosed = true;
  for (const timer of timers.values()) timer.cancel();
}

/** A request that cannot even be answered costs its connection, not the process. */
function abandon(socket: Duplex, logger: Logger, error: unknown): void {
  logger.error('a connection was given up', { error });
  socket.destroy();
}

function refuseMalformed(error: Error & { code?: string; rawPacket?: Uint8Array }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  endConnection(socket, plainRefusal(reasonOf(error)));
}
