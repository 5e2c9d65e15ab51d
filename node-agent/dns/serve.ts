import { createSocket, type Socket as UDPSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '../../api/base/logger.ts';
import { withLength } from './forward/exchange.ts';
import type { Responder } from './responder.ts';

export interface ServeOptions {
  readonly address: string;
  readonly port: number;
  readonly respond: Responder;
  /** Others get no answer at all: an open resolver would be used for attacks. */
  readonly isAllowed: (address: string) => boolean;
  readonly logger: Logger;
}

export interface DNSListener {
  /** The one that was asked for, or the one that was found if that was 0. */
  readonly port: number;
  close(): Promise<void>;
}

/** Connections that say nothing are closed after this time (RFC 7766, 6.2.3, asks for seconds). */
const idleMs = 10_000;
const maxConnections = 1000;
/** Questions of one connection that are answered at once; more wait in its receive buffer. */
const maxPipelined = 50;

/** Listens on UDP and TCP at the same port. Rejects if it cannot. */
export async function listenDNS(options: ServeOptions): Promise<DNSListener> {
  const { address, port } = options;
  const udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  udp.bind(port, address);
  await once(udp, 'listening');
  const server = createServer((socket) => serveConnection(socket, options, connections));
  const connections = new Set<Socket>();
  server.maxConnections = maxConnections;
  try {
    server.listen(udp.address().port, address);
    await once(server, 'listening');
  } catch (error) {
    udp.close();
    throw error;
  }
  serveDatagrams(udp, options);
  server.on('error', (error) => options.logger.error('the DNS server cannot take connections', { error }));
  return { port: udp.address().port, close: () => close(udp, server, connections) };
}

async function close(udp: UDPSocket, server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const closed = Promise.all([once(udp, 'close'), once(server, 'close')]);
  udp.close();
  server.close();
  for (const connection of connections) connection.destroy();
  await closed;
}

function serveDatagrams(udp: UDPSocket, { respond, isAllowed, logger }: ServeOptions): void {
  let isOpen = true;
  udp.on('close', () => {
    isOpen = false;
  });
  udp.on('error', (error) => logger.warn('a DNS socket reports an error', { error }));
  udp.on('message', (bytes, { address, port }) => {
    if (!isAllowed(address)) return;
    respond(bytes, 'udp').then(
      (response) => {
        if (response !== undefined && isOpen) udp.send(response.bytes, port, address, () => {}); // the client may be gone
      },
      (error: unknown) => logger.error('a DNS query cannot be answered', { error }),
    );
  });
}

function serveConnection(socket: Socket, { respond, isAllowed, logger }: ServeOptions, connections: Set<Socket>): void {
  if (!isAllowed(socket.remoteAddress ?? '')) {
    socket.destroy();
    return;
  }
  connections.add(socket);
  socket.on('close', () => connections.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.setTimeout(idleMs, () => socket.destroy());
  let received: Buffer = Buffer.alloc(0);
  let running = 0;
  const answer = async (message: Uint8Array) => {
    const response = await respond(message, 'tcp');
    if (response !== undefined && socket.writable) socket.write(withLength(response.bytes));
  };
  const takeMessages = () => {
    while (running < maxPipelined && received.length >= 2) {
      const end = 2 + received.readUInt16BE(0);
      if (received.length < end) break;
      const message = received.subarray(2, end);
      received = received.subarray(end);
      running++;
      answer(message)
        .catch((error: unknown) => logger.error('a DNS query cannot be answered', { error }))
        .finally(() => {
          running--;
          if (socket.isPaused() && running < maxPipelined) socket.resume();
          takeMessages();
        });
    }
    if (running >= maxPipelined) socket.pause();
  };
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    takeMessages();
  });
}
