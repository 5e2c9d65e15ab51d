import { createSocket, type Socket as UDPSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../../../api/base/logger.ts';
import { withLength } from './forward/exchange.ts';
import type { Responder } from './responder.ts';
import type { SourceTurns } from './source-turns.ts';

interface ServeOptions {
  readonly address: string;
  readonly port: number;
  readonly respond: Responder;
  /** Other sources get no answer at all: an open resolver would be used for attacks. */
  readonly isAllowed: (address: string) => boolean;
  readonly turns: SourceTurns;
  readonly logger: Logger;
}

export interface DNSListener {
  /** The port that was asked for, or the one that was assigned if that was 0. */
  readonly port: number;
  close(): Promise<void>;
}

/** Connections that say nothing are closed after this time (RFC 7766, 6.2.3, asks for seconds). */
const idleMs = 10_000;
const maxConnections = 1000;
/** A source that has as many gets no more, so that it cannot take those of all others. */
const maxConnectionsPerSource = 100;
/** The most queries of one connection that are answered at a time; more wait in its receive buffer. */
const maxPipelined = 20;

/** Listens on UDP and TCP at the same port. Rejects if it cannot. */
export async function listenDNS(options: ServeOptions): Promise<DNSListener> {
  const { address, port, logger } = options;
  const udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  udp.bind(port, address);
  await once(udp, 'listening');
  udp.on('error', (error) => logger.warn('a DNS socket reports an error', { error }));
  const connections = new Set<Socket>();
  const perSource = new Map<string, number>();
  const server = createServer((socket) => serveConnection(socket, options, connections, perSource));
  server.maxConnections = maxConnections;
  try {
    server.listen(udp.address().port, address);
    await once(server, 'listening');
    server.on('error', (error) => logger.error('the DNS server cannot take connections', { error }));
  } catch (error) {
    udp.close();
    throw error;
  }
  serveDatagrams(udp, options);
  return { port: udp.address().port, close: () => close(udp, server, connections) };
}

async function close(udp: UDPSocket, server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const closed = Promise.all([once(udp, 'close'), once(server, 'close')]);
  udp.close();
  server.close();
  for (const connection of connections) connection.destroy();
  await closed;
}

function serveDatagrams(udp: UDPSocket, { respond, isAllowed, turns, logger }: ServeOptions): void {
  let isOpen = true;
  udp.on('close', () => {
    isOpen = false;
  });
  udp.on('message', (bytes, { address, port }) => {
    // Port 0 cannot be answered; only forged packets come from it.
    if (port === 0 || !isAllowed(address)) return;
    turns.take(address, async () => {
      try {
        const response = await respond(bytes, 'udp');
        if (response !== undefined && isOpen) udp.send(response.bytes, port, address, () => {}); // the client may be gone
      } catch (error) {
        logger.error('a DNS query cannot be answered', { error });
      }
    });
  });
}

function serveConnection(socket: Socket, options: ServeOptions, connections: Set<Socket>, perSource: Map<string, number>): void {
  socket.on('error', () => socket.destroy());
  // Absent where the client has gone already.
  const source = socket.remoteAddress;
  const count = perSource.get(source ?? '') ?? 0;
  if (source === undefined || !options.isAllowed(source) || count >= maxConnectionsPerSource) return void socket.destroy();
  connections.add(socket);
  perSource.set(source, count + 1);
  socket.on('close', () => {
    connections.delete(socket);
    const left = (perSource.get(source) ?? 1) - 1;
    if (left > 0) perSource.set(source, left);
    else perSource.delete(source);
  });
  socket.setTimeout(idleMs, () => socket.destroy());
  answerMessages(socket, source, options);
}

/** Answers the messages of a connection, as fast as its client reads the answers. */
function answerMessages(socket: Socket, source: string, { respond, turns, logger }: ServeOptions): void {
  let received: Buffer = Buffer.alloc(0);
  let running = 0;
  const answer = async (message: Uint8Array) => {
    try {
      const response = await respond(message, 'tcp');
      if (response !== undefined && socket.writable) socket.write(withLength(response.bytes));
    } catch (error) {
      logger.error('a DNS query cannot be answered', { error });
    } finally {
      running--;
      takeMessages();
    }
  };
  const mustWait = () => running >= maxPipelined || socket.writableNeedDrain;
  const takeMessages = () => {
    while (!mustWait() && !socket.destroyed && received.length >= 2) {
      const end = 2 + received.readUInt16BE(0);
      if (received.length < end) break;
      const message = received.subarray(2, end);
      received = received.subarray(end);
      running++;
      if (!turns.take(source, () => answer(message))) return void socket.destroy(); // too much of one source
    }
    if (mustWait()) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };
  socket.on('drain', takeMessages);
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    takeMessages();
  });
}
