/** Frames of a WebSocket (RFC 6455, 5.2), as a server writes and reads them. */

export const websocketOpcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The greatest payload of a control frame, in bytes. */
const maxControlPayload = 125;

interface WebSocketFrame {
  readonly opcode: number;
  /** The payload of control frames; data is skipped. */
  readonly payload: Uint8Array;
}

/** A whole message in one unmasked frame. */
export function encodeWebSocketFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const headLength = length <= maxControlPayload ? 2 : length <= 0xffff ? 4 : 10;
  const frame = new Uint8Array(headLength + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x80 | opcode;
  frame[1] = headLength === 2 ? length : headLength === 4 ? 126 : 127;
  if (headLength === 4) view.setUint16(2, length);
  if (headLength === 10) view.setBigUint64(2, BigInt(length));
  frame.set(payload, headLength);
  return frame;
}

/** Finds the control frames in a client's WebSocket data. The content of data frames is not kept. */
export class WebSocketControlReader {
  #pending = new Uint8Array(0);
  #skip = 0;

  /** Throws for bytes that are not a WebSocket frame of a client. */
  push(chunk: Uint8Array): WebSocketFrame[] {
    const frames: WebSocketFrame[] = [];
    let bytes = new Uint8Array(this.#pending.length + chunk.length);
    bytes.set(this.#pending);
    bytes.set(chunk, this.#pending.length);
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      bytes = bytes.subarray(skipped);
      const head = readHead(bytes);
      if (!head) break;
      const { opcode, headLength, payloadLength, mask } = head;
      if (opcode < websocketOpcodes.close) {
        bytes = bytes.subarray(headLength);
        this.#skip = payloadLength;
        continue;
      }
      if (payloadLength > maxControlPayload) throw new Error('a control frame is too long');
      if (bytes.length < headLength + payloadLength) break;
      const payload = bytes.slice(headLength, headLength + payloadLength).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      frames.push({ opcode, payload });
      bytes = bytes.subarray(headLength + payloadLength);
    }
    this.#pending = bytes.slice();
    return frames;
  }
}

/** The head of a client's frame; undefined while it is incomplete. */
function readHead(bytes: Uint8Array) {
  if ((bytes[1] ?? 0x80) < 0x80) throw new Error('a frame of a client must be masked');
  const head = readFrameHead(bytes);
  return head && { ...head, mask: bytes.slice(head.headLength - 4, head.headLength) };
}

interface FrameHead {
  readonly opcode: number;
  /** The length of the head in bytes, with the mask if there is one. */
  readonly headLength: number;
  readonly payloadLength: number;
}

/** The head of a client's or server's frame; undefined while it is incomplete. */
export function readFrameHead(bytes: Uint8Array): FrameHead | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headLength = 2 + lengthBytes + (second < 0x80 ? 0 : 4);
  if (bytes.length < headLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const payloadLength = lengthBytes === 0 ? short : lengthBytes === 2 ? view.getUint16(2) : Number(view.getBigUint64(2));
  return { opcode: first & 0x0f, headLength, payloadLength };
}
