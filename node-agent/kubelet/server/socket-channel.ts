import type { Duplex } from 'node:stream';
import type { ByteChannel } from '../../../api/client/transport.ts';

/** A socket, with bytes that were read ahead of it, as a ByteChannel. */
export function socketChannel(socket: Duplex, head: Buffer): ByteChannel {
  if (head.length > 0) socket.unshift(head);
  socket.on('error', () => {}); // also told by 'close'
  // Not events.once(), which rejects when an error comes first: a connection that is reset by its peer is not an error here.
  const closed = socket.closed ? Promise.resolve() : new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    incoming: socket as AsyncIterable<Buffer>,
    async write(bytes) {
      if (socket.destroyed || socket.writableEnded) throw new Error('the connection is closed');
      if (socket.write(bytes)) return;
      await drained(socket);
    },
    end: () => void socket.end(),
    destroy: (error) => void socket.destroy(error),
    closed,
  };
}

/** Resolves when more can be written, or nothing any more; leaves no listener behind. */
function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
