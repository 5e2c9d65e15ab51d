import { createSPDYHeaderEncoder } from './spdy-headers.ts';
import { SPDYError } from './spdy-error.ts';

/**
 * Frames of SPDY/3.1, as far as exec, attach and port-forward use it. Header blocks stay compressed; see spdy-headers.ts.
 * Frames of other kinds (SETTINGS, WINDOW_UPDATE) are read over.
 */
export type SPDYFrame =
  | { readonly kind: 'data'; readonly streamID: number; readonly payload: Uint8Array; readonly isLast: boolean }
  /** The peer opens a stream. */
  | { readonly kind: 'open'; readonly streamID: number; readonly headerBlock: Uint8Array; readonly isLast: boolean }
  /** The peer accepts a stream, or sends more headers for one. */
  | { readonly kind: 'reply' | 'headers'; readonly streamID: number; readonly headerBlock: Uint8Array; readonly isLast: boolean }
  | { readonly kind: 'reset'; readonly streamID: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goaway' };

/** Makes the frames of one direction of one connection. They must be sent in the order in which they were made. */
interface SPDYEncoder {
  /** Opens a stream: odd numbers are the client's, even ones the server's, each higher than the last. */
  open(streamID: number, headers: Readonly<Record<string, string>>): Uint8Array;
  /** Accepts a stream of the peer. */
  reply(streamID: number, headers?: Readonly<Record<string, string>>): Uint8Array;
  /** Data frames, as many as the bytes need. */
  data(streamID: number, bytes: Uint8Array): Uint8Array[];
  /** Half-closes a stream. */
  end(streamID: number): Uint8Array;
  reset(streamID: number, status: number): Uint8Array;
  ping(id: number): Uint8Array;
  goaway(): Uint8Array;
}

const types = { open: 1, reply: 2, reset: 3, ping: 6, goaway: 7, headers: 8 } as const;
const lastFlag = 1;
const headBytes = 8;
const maxDataBytes = 64 * 1024;

export function createSPDYEncoder(): SPDYEncoder {
  const encodeHeaders = createSPDYHeaderEncoder();
  return {
    // Stream, no associated stream, highest priority.
    open: (streamID, headers) => control(types.open, [streamID, 0], Uint8Array.of(0, 0), encodeHeaders(headers)),
    reply: (streamID, headers = {}) => control(types.reply, [streamID], encodeHeaders(headers)),
    data(streamID, bytes) {
      const frames: Uint8Array[] = [];
      for (let offset = 0; offset < bytes.length; offset += maxDataBytes) {
        frames.push(withHead(streamID, 0, bytes.subarray(offset, offset + maxDataBytes)));
      }
      return frames;
    },
    end: (streamID) => withHead(streamID, lastFlag, new Uint8Array(0)),
    reset: (streamID, status) => control(types.reset, [streamID, status]),
    ping: (id) => control(types.ping, [id]),
    goaway: () => control(types.goaway, [0, 0]),
  };
}

function withHead(word: number, flags: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, word);
  view.setUint32(4, payload.length);
  view.setUint8(4, flags);
  bytes.set(payload, headBytes);
  return bytes;
}

function control(type: number, words: readonly number[], ...parts: readonly Uint8Array[]): Uint8Array {
  const payload = new Uint8Array(words.length * 4 + parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(payload.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word);
  let offset = words.length * 4;
  for (const part of parts) {
    payload.set(part, offset);
    offset += part.length;
  }
  return withHead((0x8003 << 16) | type, 0, payload);
}

/**
 * Reads the frames of one direction of one connection: it is given bytes as they arrive and returns the complete frames. Payloads may share
 * memory with the input. Throws SPDYError for bytes that are not SPDY/3.1.
 */
export function createSPDYDecoder(): (bytes: Uint8Array) => SPDYFrame[] {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let neededBytes = headBytes;
  return (bytes) => {
    waiting.push(bytes);
    waitingBytes += bytes.length;
    // Large frames come in many pieces, which are put together once.
    if (waitingBytes < neededBytes) return [];
    const all = waiting.length === 1 ? bytes : concat(waiting, waitingBytes);
    const { frames, offset, needed } = decodeFrames(all);
    const rest = all.subarray(offset);
    waiting = rest.length === 0 ? [] : [rest.slice()];
    waitingBytes = rest.length;
    neededBytes = needed;
    return frames;
  };
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function decodeFrames(bytes: Uint8Array): { frames: SPDYFrame[]; offset: number; needed: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: SPDYFrame[] = [];
  let offset = 0;
  while (bytes.length - offset >= headBytes) {
    const length = headBytes + (view.getUint32(offset + 4) & 0xff_ffff);
    if (offset + length > bytes.length) return { frames, offset, needed: length };
    const payload = bytes.subarray(offset + headBytes, offset + length);
    const frame = decodeFrame(view.getUint32(offset), view.getUint8(offset + 4), payload);
    if (frame !== undefined) frames.push(frame);
    offset += length;
  }
  return { frames, offset, needed: headBytes };
}

function decodeFrame(word: number, flags: number, payload: Uint8Array): SPDYFrame | undefined {
  const isLast = (flags & lastFlag) !== 0;
  if (word >>> 31 === 0) return { kind: 'data', streamID: word, payload, isLast };
  if (word >>> 16 !== 0x8003) throw new SPDYError(`unsupported version ${(word >>> 16) & 0x7fff}`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const wordAt = (index: number): number => {
    if (payload.length < index * 4 + 4) throw new SPDYError('frame is too short');
    return view.getUint32(index * 4);
  };
  const type = word & 0xffff;
  if (type === types.ping) return { kind: 'ping', id: wordAt(0) };
  if (type === types.goaway) return { kind: 'goaway' };
  const streamID = () => wordAt(0) & 0x7fff_ffff;
  switch (type) {
    case types.open:
      wordAt(1);
      return { kind: 'open', streamID: streamID(), headerBlock: payload.subarray(10), isLast };
    case types.reply:
      return { kind: 'reply', streamID: streamID(), headerBlock: payload.subarray(4), isLast };
    case types.headers:
      return { kind: 'headers', streamID: streamID(), headerBlock: payload.subarray(4), isLast };
    case types.reset:
      return { kind: 'reset', streamID: streamID(), status: wordAt(1) };
    default:
      return undefined;
  }
}
