import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSPDYSession, type SPDYSession, type SPDYStream } from '../../../../api/streaming/spdy-session.ts';
import { http } from '../../../node-http.ts';
import { socketChannel } from '../socket-channel.ts';

/** The streaming server of a container runtime, whose commands are functions. */
export interface StreamingRuntime {
  readonly url: string;
  /** Connections that are open. */
  connections(): number;
  close(): Promise<void>;
}

/** `command` gets the streams in the order in which clients open them: error, stdin, stdout, stderr, resize, as far as asked for. */
export async function startStreamingRuntime(command: (streams: AsyncIterator<SPDYStream>) => Promise<void>): Promise<StreamingRuntime> {
  const server = http.createServer();
  const sockets = new Map<Duplex, SPDYSession>();
  server.on('upgrade', (_request, socket: Duplex, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    const session = createSPDYSession({ channel: socketChannel(socket, head), role: 'server', inflate: async () => new Uint8Array(0) });
    sockets.set(socket, session);
    socket.on('close', () => sockets.delete(socket));
    command(session.accepted[Symbol.asyncIterator]()).then(
      () => session.close(),
      () => session.close(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets.keys()) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
