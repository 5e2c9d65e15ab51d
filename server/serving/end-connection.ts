import type { Duplex } from 'node:stream';

/** How long the other side may take to close after we have. */
const lingerMs = 2000;

/**
 * Ends a connection on which nothing more is to be said. What still comes in is thrown away, or the end of it would never be
 * seen and the socket kept for ever.
 */
export function endConnection(socket: Duplex, lastWords?: string): void {
  socket.on('error', () => {});
  socket.once('end', () => socket.destroy());
  if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(lingerMs, () => socket.destroy());
  socket.end(lastWords);
  socket.resume();
}
