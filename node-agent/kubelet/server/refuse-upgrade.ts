import type { Duplex } from 'node:stream';
import type { Clock } from '../../../api/base/clock.ts';
import { http } from '../../node-http.ts';

/** How long the other side may take to close its end. */
const lingerMs = 2000;

/**
 * Answers a switch of protocols with a plain HTTP answer and ends the connection. Data that still arrives is dropped, so that the client
 * reads the answer, and a client that stays is cut.
 */
export function refuseUpgrade(clock: Clock, socket: Duplex, status: number, message: string): void {
  socket.on('error', () => {}); // also told by 'close'
  if (socket.destroyed || socket.writableEnded) return void socket.destroy();
  const timer = clock.setTimer(lingerMs, () => socket.destroy(), { background: true });
  socket.once('close', () => timer.cancel());
  socket.once('end', () => socket.destroy());
  const body = `${message}\n`;
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
}
