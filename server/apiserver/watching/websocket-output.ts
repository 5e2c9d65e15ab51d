import { createHash } from 'node:crypto';
import { encodeBase64 } from '../../../api/base/base64.ts';
import type { APIRequest, APIResponse, ByteChannel, ResponseBody } from '../../../api/client/transport.ts';
import { badRequest } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { encodeWebSocketFrame, WebSocketControlReader, websocketOpcodes } from '../../../api/streaming/websocket-frames.ts';

/** From RFC 6455, 4.2.2. */
const handshakeKey = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Bytes go as they are, or as base64 in text messages. */
const protocols = ['', 'binary.k8s.io', 'base64.binary.k8s.io'];

export function asksForWebSocket({ headers, canUpgrade }: APIRequest): boolean {
  return canUpgrade === true && headers['upgrade']?.toLowerCase() === 'websocket';
}

/** Sends the body of the answer as messages of a WebSocket. Data from the client is ignored. Throws 400 and 403. */
export function sendOverWebSocket({ headers }: APIRequest, body: ResponseBody): APIResponse {
  const key = headers['sec-websocket-key'];
  if (key === undefined || headers['sec-websocket-version'] !== '13') throw badRequest('bad WebSocket handshake');
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const protocol = offered.find((name) => protocols.includes(name));
  if (protocol === undefined) {
    const message = `requested protocol(s) are not supported: ${JSON.stringify(offered)}; supports ${JSON.stringify(protocols)}`;
    throw new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'Forbidden', code: 403 });
  }
  const isBase64 = protocol.startsWith('base64.');
  return acceptWebSocket(key, protocol, () => framesOf(body, isBase64));
}

/** Switches to a WebSocket on which the frames are sent, until there are no more or the client has closed. */
export function acceptWebSocket(key: string, protocol: string, frames: () => AsyncGenerator<Uint8Array>): APIResponse {
  return {
    status: 101,
    headers: {
      upgrade: 'websocket',
      'sec-websocket-accept': createHash('sha1').update(`${key}${handshakeKey}`).digest('base64'),
      ...(protocol === '' ? {} : { 'sec-websocket-protocol': protocol }),
    },
    body: { kind: 'none' },
    upgrade: (channel) => void send(channel, frames()),
  };
}

async function* framesOf(body: ResponseBody, isBase64: boolean): AsyncGenerator<Uint8Array> {
  const encode = (chunk: Uint8Array) =>
    isBase64
      ? encodeWebSocketFrame(websocketOpcodes.text, new TextEncoder().encode(encodeBase64(chunk)))
      : encodeWebSocketFrame(websocketOpcodes.binary, chunk);
  yield encode(new Uint8Array(0)); // tells the client that all is set up
  for await (const chunk of chunksOf(body)) yield encode(chunk);
}

async function* chunksOf(body: ResponseBody): AsyncGenerator<Uint8Array> {
  if (body.kind === 'bytes') yield body.bytes;
  if (body.kind === 'stream') yield* body.chunks;
}

const closeNormally = encodeWebSocketFrame(websocketOpcodes.close, Uint8Array.of(3, 232));

async function send(channel: ByteChannel, frames: AsyncGenerator<Uint8Array>): Promise<void> {
  let isClosed = false;
  // Made anew for every frame, since a single promise in every race would keep all of their reactions.
  let close = (): void => {};
  void listen(channel).then(() => {
    isClosed = true;
    close();
  });
  const next = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      close = () => resolve({ done: true, value: undefined });
      if (isClosed) close();
      else frames.next().then(resolve, reject);
    });
  try {
    for (let result = await next(); !result.done; result = await next()) await channel.write(result.value);
    await channel.write(closeNormally);
    channel.end();
  } catch {
    channel.destroy(); // either the client has gone, or the output broke off
  } finally {
    await frames.return(undefined).catch(() => undefined);
  }
}

/** Answers pings; resolves when the client has closed or gone. */
async function listen(channel: ByteChannel): Promise<void> {
  const reader = new WebSocketControlReader();
  try {
    for await (const chunk of channel.incoming) {
      for (const { opcode, payload } of reader.push(chunk)) {
        if (opcode === websocketOpcodes.close) return;
        if (opcode === websocketOpcodes.ping) await channel.write(encodeWebSocketFrame(websocketOpcodes.pong, payload));
      }
    }
  } catch {
    channel.destroy();
  }
}
