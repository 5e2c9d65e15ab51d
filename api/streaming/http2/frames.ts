/** Frames of HTTP/2 (RFC 9113 4 and 6), without sockets. */
export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const frameFlag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const setting = { headerTableSize: 1, enablePush: 2, maxConcurrentStreams: 3, initialWindowSize: 4, maxFrameSize: 5 } as const;

/** RFC 9113 7. */
export const errorCode = { noError: 0, protocolError: 1, flowControlError: 3, frameSizeError: 6, refusedStream: 7, cancel: 8 } as const;

export const connectionPreface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
export const defaultWindowSize = 65_535;
export const defaultMaxFrameSize = 16_384;
export const frameHeaderSize = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamID: number;
  /** The payload without padding; shares memory with the received bytes. */
  readonly payload: Uint8Array;
  /** The length with padding, which flow control counts. */
  readonly size: number;
}

/** A violation of the protocol by the peer: the connection cannot go on. */
export class HTTP2Error extends Error {
  override readonly name = 'HTTP2Error';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const nothing = new Uint8Array();

/** Cuts what is received into frames. */
export class FrameReader {
  readonly #maxFrameSize: number;
  #rest: Uint8Array = nothing;

  constructor(maxFrameSize = defaultMaxFrameSize) {
    this.#maxFrameSize = maxFrameSize;
  }

  /** Calls `take` for every frame that is complete with this chunk. Throws HTTP2Error. */
  push(chunk: Uint8Array, take: (frame: Frame) => void): void {
    let bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    while (bytes.length >= frameHeaderSize) {
      const length = uint24(bytes, 0);
      if (length > this.#maxFrameSize) throw new HTTP2Error(errorCode.frameSizeError, `a frame of ${length} bytes is too large`);
      const end = frameHeaderSize + length;
      if (bytes.length < end) break;
      const [type = 0, flags = 0] = [bytes[3], bytes[4]];
      const payload = bytes.subarray(frameHeaderSize, end);
      take({ type, flags, streamID: uint31(bytes, 5), payload: unpadded(type, flags, payload), size: length });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }
}

/** The payload without padding and priority: DATA and HEADERS may be padded, and HEADERS may begin with a priority, which is obsolete. */
function unpadded(type: number, flags: number, payload: Uint8Array): Uint8Array {
  const mayBePadded = type === frameType.data || type === frameType.headers;
  if (!mayBePadded || (flags & (frameFlag.padded | frameFlag.priority)) === 0) return payload;
  const isPadded = (flags & frameFlag.padded) !== 0;
  const start = (isPadded ? 1 : 0) + (type === frameType.headers && (flags & frameFlag.priority) !== 0 ? 5 : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (start > end) throw new HTTP2Error(errorCode.protocolError, 'the padding of a frame is longer than the frame');
  return payload.subarray(start, end);
}

export function uint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) & 0x7f) * 2 ** 24 + uint24(bytes, at + 1);
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 2 ** 24 + uint24(bytes, at + 1);
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

/** Writes the head of a frame whose payload of `length` bytes follows it; returns where that begins. */
export function writeFrameHead(target: Uint8Array, at: number, type: number, flags: number, streamID: number, length: number): number {
  target[at] = length >>> 16;
  target[at + 1] = length >>> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  writeUint32(target, at + 5, streamID);
  return at + frameHeaderSize;
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function frame(type: number, flags: number, streamID: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeaderSize + payload.length);
  bytes.set(payload, writeFrameHead(bytes, 0, type, flags, streamID, payload.length));
  return bytes;
}

export function settingsFrame(values: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new Uint8Array(6 * values.length);
  for (const [index, [id, value]] of values.entries()) {
    payload[6 * index + 1] = id;
    writeUint32(payload, 6 * index + 2, value);
  }
  return frame(frameType.settings, 0, 0, payload);
}

export const settingsAck: Uint8Array = frame(frameType.settings, frameFlag.ack, 0, nothing);

/** The pairs of a SETTINGS frame. Throws HTTP2Error. */
export function readSettings(payload: Uint8Array): [id: number, value: number][] {
  if (payload.length % 6 !== 0) throw new HTTP2Error(errorCode.frameSizeError, 'SETTINGS of a wrong size');
  const values: [number, number][] = [];
  for (let at = 0; at < payload.length; at += 6) values.push([(payload[at] ?? 0) * 256 + (payload[at + 1] ?? 0), uint32(payload, at + 2)]);
  return values;
}

export function windowUpdateFrame(streamID: number, increment: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, increment);
  return frame(frameType.windowUpdate, 0, streamID, payload);
}

export function rstStreamFrame(streamID: number, code: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, code);
  return frame(frameType.rstStream, 0, streamID, payload);
}

/** `opaque`: eight bytes, which the answer repeats. */
export function pingFrame(opaque: Uint8Array, isAck: boolean): Uint8Array {
  return frame(frameType.ping, isAck ? frameFlag.ack : 0, 0, opaque);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
