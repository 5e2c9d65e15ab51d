import type { Duplex } from 'node:stream';

/** How long the other side may take to close after we have. */
const lingerMs = 2000;

/**
 * Ends a connection after a last message. Data that still arrives is dropped, since otherwise the end of the connection would not be seen
 * and the socket would stay open.
 */
export function endConnection(socket: Duplex, lastWords?: string): void {
  socket.on('error', () => {});
  socket.once('end', () => socket.destroy());
  if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(lingerMs, () => socket.destroy());
  socket.end(lastWords);
  socket.resume();
}
