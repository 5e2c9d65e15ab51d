import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { ByteChannel } from '../../../api/client/transport.ts';

/** A socket, with bytes that were read ahead of it, as a ByteChannel. */
export function socketChannel(socket: Duplex, head: Buffer): ByteChannel {
  if (head.length > 0) socket.unshift(head);
  socket.on('error', () => {}); // also told by 'close'
  return {
    incoming: socket as AsyncIterable<Buffer>,
    async write(bytes) {
      if (socket.destroyed || socket.writableEnded) throw new Error('the connection is closed');
      if (socket.write(bytes)) return;
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    },
    end: () => void socket.end(),
    destroy: (error) => void socket.destroy(error),
    closed: socket.closed ? Promise.resolve() : once(socket, 'close').then(() => undefined),
  };
}
