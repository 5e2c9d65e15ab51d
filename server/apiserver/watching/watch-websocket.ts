import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';
import { encodeWebSocketFrame, websocketOpcodes } from '../../../api/streaming/websocket-frames.ts';
import { plainResponse } from '../responses/error-response.ts';
import { acceptWebSocket } from './websocket-output.ts';

/** How the events of a watch are written. */
interface WatchMessages {
  readonly isText: boolean;
  /** One event each, encoded as in the body of an answer. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** The number of bytes before each event that a message does not need, since it has its own length. */
  readonly headLength: number;
  /** Ends the watch. */
  release(): void;
}

/**
 * A watch as messages of a WebSocket, one for each event: text for JSON and YAML, binary for protobuf. Like upstream's library it requires
 * an Origin, and accepts any single protocol.
 */
export function watchOverWebSocket(request: APIRequest, messages: WatchMessages): APIResponse {
  const refused = refuse(request);
  if (refused) {
    messages.release();
    return refused;
  }
  const [protocol = ''] = offeredProtocols(request);
  return acceptWebSocket(request.headers['sec-websocket-key'] ?? '', protocol, () => messagesOf(messages));
}

function refuse(request: APIRequest): APIResponse | undefined {
  const { headers } = request;
  if (headers['sec-websocket-version'] !== '13')
    return plainResponse(400, 'missing or bad WebSocket Version', { 'sec-websocket-version': '13' });
  if (!headers['sec-websocket-key']) return plainResponse(400, 'mismatch challenge/response');
  if (!isOrigin(headers['origin'])) return plainResponse(403, '');
  return offeredProtocols(request).length > 1 ? plainResponse(400, '') : undefined;
}

function isOrigin(origin: string | undefined): boolean {
  return origin !== undefined && (origin.startsWith('/') || URL.canParse(origin));
}

function offeredProtocols({ headers }: APIRequest): string[] {
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

async function* messagesOf({ isText, frames, headLength, release }: WatchMessages): AsyncGenerator<Uint8Array> {
  const opcode = isText ? websocketOpcodes.text : websocketOpcodes.binary;
  try {
    for await (const frame of frames) yield encodeWebSocketFrame(opcode, frame.subarray(headLength));
  } finally {
    release();
  }
}
