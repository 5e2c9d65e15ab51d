import type { IncomingMessage } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import type { Clock } from '../../../api/base/clock.ts';
import { http } from '../../node-http.ts';
import type { WebSocket } from 'ws';
import { dialRuntime } from './runtime-streams.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { answerPings, createReadGate } from './read-gate.ts';
import { asBuffer } from './websocket-streams.ts';

const hopHeaders = [
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'x-stream-protocol-version',
];

interface ClientConnection {
  readonly clock: Clock;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Connects a client to the runtime's streaming server: both use the same protocol, so the bytes after the switch are only copied. */
export function proxyUpgrade({ clock, request, socket, head }: ClientConnection, runtimeURL: string): void {
  const headers: Record<string, string | string[]> = {};
  for (const name of hopHeaders) {
    const value = request.headersDistinct[name];
    if (value) headers[name] = value;
  }
  const upstream = http.request(runtimeURL, { method: request.method ?? 'POST', headers, agent: false });
  upstream.on('upgrade', (response, peer, peerHead) => {
    peer.on('error', () => peer.destroy());
    socket.write(headOf(response));
    if (head.length > 0) peer.write(head);
    if (peerHead.length > 0) socket.write(peerHead);
    join(socket, peer);
  });
  upstream.on('response', (response) => {
    socket.write(headOf(response));
    pipeline(response, socket, () => socket.destroy());
  });
  upstream.on('error', (error) => refuseUpgrade(clock, socket, 502, error.message));
  socket.once('close', () => upstream.destroy());
  upstream.end();
}

function headOf(response: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  for (let index = 0; index + 1 < response.rawHeaders.length; index += 2)
    lines.push(`${response.rawHeaders[index]}: ${response.rawHeaders[index + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Copies in both directions, as fast as each side reads, until one of them is closed. */
function join(a: Duplex, b: Duplex): void {
  const end = () => {
    a.destroy();
    b.destroy();
  };
  for (const side of [a, b]) side.on('error', end).on('close', end);
  a.pipe(b);
  b.pipe(a);
}

/**
 * Port-forward as SPDY inside WebSocket messages (KEP-4006): the messages carry the bytes of a SPDY connection, which the runtime speaks
 * itself.
 */
export async function tunnelPortForward(socket: WebSocket, runtimeURL: string): Promise<void> {
  // No data may arrive before it can be handled.
  socket.pause();
  try {
    const { socket: peer, head } = await dialRuntime(runtimeURL, 'portforward.k8s.io');
    if (socket.readyState !== socket.OPEN) return void peer.destroy();
    const gate = createReadGate(socket);
    answerPings(socket, gate);
    const send = (bytes: Uint8Array) => {
      if (socket.readyState !== socket.OPEN) return;
      peer.pause();
      socket.send(bytes, () => peer.resume());
    };
    if (head.length > 0) send(head);
    peer.on('data', send);
    peer.on('end', () => socket.close(1000));
    peer.on('error', () => socket.close(1011));
    socket.on('message', (data) => {
      const bytes = asBuffer(data);
      gate.hold(bytes.length);
      peer.write(bytes, () => gate.release(bytes.length)); // also called when it could not be written
    });
    socket.on('close', () => peer.destroy());
    socket.on('error', () => peer.destroy());
    socket.resume();
  } catch (error) {
    socket.close(1011, error instanceof Error ? error.message.slice(0, 120) : '');
  }
}
