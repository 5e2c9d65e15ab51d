import type { Duplex } from 'node:stream';
import type { ByteChannel } from '../../api/client/transport.ts';

/** A connection whose protocol has been switched. `head` are bytes that came with the request's head. */
export function createSocketChannel(socket: Duplex, head: Uint8Array): ByteChannel {
  const closed = new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
  socket.on('error', () => {});
  if (head.byteLength > 0) socket.unshift(Buffer.from(head));
  return {
    incoming: readChunks(socket),
    write: (bytes) => writeChunk(socket, bytes),
    end: () => void socket.end(),
    destroy: (error) => void socket.destroy(error),
    closed,
  };
}

async function* readChunks(socket: Duplex): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) yield chunk;
  } catch {
    // A connection that was cut has ended; `closed` reports it.
  }
}

/** Resolves when the bytes were passed to the kernel, so that consecutive writes are never joined in one TLS record. */
function writeChunk(socket: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error('the connection is closed'));
    if (socket.destroyed || socket.writableEnded) return fail();
    socket.once('close', fail);
    socket.write(bytes, (error) => {
      socket.off('close', fail);
      if (error) fail();
      else resolve();
    });
  });
}
