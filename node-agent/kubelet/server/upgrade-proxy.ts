import type { IncomingMessage } from 'node:http';
import { http } from '../../node-http.ts';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { dialRuntime } from './runtime-streams.ts';
import { asBuffer } from './websocket-streams.ts';

const hopHeaders = [
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'x-stream-protocol-version',
];

/**
 * Hands a client's connection to the runtime's streaming server as it is: both speak the same protocol, so the bytes after
 * the switch are only copied.
 */
export function proxyUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, runtimeURL: string): void {
  const headers: Record<string, string | string[]> = {};
  for (const name of hopHeaders) {
    const value = request.headersDistinct[name];
    if (value) headers[name] = value;
  }
  const upstream = http.request(runtimeURL, { method: request.method ?? 'POST', headers, agent: false });
  upstream.on('upgrade', (response, peer, peerHead) => {
    socket.write(headOf(response));
    join(socket, head, peer, peerHead);
  });
  upstream.on('response', (response) => {
    socket.write(headOf(response));
    response.pipe(socket);
  });
  upstream.on('error', (error) => refuse(socket, 502, error.message));
  socket.on('error', () => upstream.destroy());
  upstream.end();
}

function headOf(response: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  for (let index = 0; index + 1 < response.rawHeaders.length; index += 2)
    lines.push(`${response.rawHeaders[index]}: ${response.rawHeaders[index + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join(a: Duplex, aHead: Buffer, b: Duplex, bHead: Buffer): void {
  if (aHead.length > 0) b.write(aHead);
  if (bHead.length > 0) a.write(bHead);
  a.pipe(b);
  b.pipe(a);
  const end = () => {
    a.destroy();
    b.destroy();
  };
  for (const side of [a, b]) side.on('error', end).on('close', end);
}

/** An HTTP answer in place of a switch of protocols. */
export function refuse(socket: Duplex, status: number, message: string): void {
  const reason = http.STATUS_CODES[status] ?? '';
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/**
 * Port-forward as SPDY inside WebSocket messages (KEP-4006): what they carry are the bytes of a SPDY connection, which the
 * runtime speaks itself.
 */
export async function tunnelPortForward(socket: WebSocket, runtimeURL: string): Promise<void> {
  // Nothing may come before there is somebody to take it.
  socket.pause();
  try {
    const { socket: peer, head } = await dialRuntime(runtimeURL, 'portforward.k8s.io');
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
      if (!peer.write(asBuffer(data))) {
        socket.pause();
        peer.once('drain', () => socket.resume());
      }
    });
    socket.on('close', () => peer.destroy());
    socket.on('error', () => peer.destroy());
    socket.resume();
  } catch (error) {
    socket.close(1011, error instanceof Error ? error.message.slice(0, 120) : '');
  }
}
