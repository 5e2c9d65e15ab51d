import type { TLSSocket } from 'node:tls';
import type { Connection, OutgoingRequest, ResponseHandler } from './connection.ts';
import { createRequestEncoder, type RequestEncoder, readStatus } from './hpack.ts';
import { openSocket } from './open-socket.ts';
import type { Endpoint } from './task.ts';

const frameTypes = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const flags = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;
const settingIDs = { headerTableSize: 1, enablePush: 2, initialWindowSize: 4, maxFrameSize: 5 } as const;
const headerBytes = 9;
const maxWindow = 2 ** 31 - 1;
/** The bytes that may be read before the server is told that it may send as many again. */
const refillBytes = 2 ** 29;
/** Larger frames than this have to be allowed first. */
const maxFrameBytes = 16_384;

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

function frame(type: number, flag: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flag;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, headerBytes);
  return bytes;
}

function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(frameTypes.settings, 0, 0, payload);
}

function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(frameTypes.windowUpdate, 0, stream, payload);
}

/**
 * HTTP/2 over TLS (RFC 9113), with as many streams as are sent. Header compression of answers is turned off
 * (SETTINGS_HEADER_TABLE_SIZE 0), so that of their headers only the status needs to be looked at.
 */
export async function connectHTTP2(endpoint: Endpoint): Promise<Connection> {
  const session = new Session(createRequestEncoder(`${endpoint.host}:${endpoint.port}`, `Bearer ${endpoint.token}`));
  const socket = await openSocket(endpoint, 'h2', {
    onRead: (bytes, length) => session.read(bytes, length),
    onClose: (error) => session.fail(error ?? new Error('closed')),
  });
  session.start(socket);
  return { send: (request, handler) => session.send(request, handler), close: () => socket.destroy() };
}

interface WaitingBody {
  readonly stream: number;
  readonly body: Buffer;
}

class Session {
  readonly #encoder: RequestEncoder;
  #socket: TLSSocket | undefined;
  readonly #streams = new Map<number, ResponseHandler>();
  #nextStream = 1;
  #sendWindow = 65_535;
  #initialWindow = 65_535;
  /** In the order in which they go out when the connection's window opens. */
  #waiting: WaitingBody[] = [];
  #unacknowledged = 0;
  // The frame being read: the received part of its header, and the outstanding length of its payload.
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #remaining = 0;
  /** Payloads but those of DATA are collected. */
  #payload = Buffer.alloc(maxFrameBytes);
  #payloadFilled = 0;
  #failure: Error | undefined;

  constructor(encoder: RequestEncoder) {
    this.#encoder = encoder;
  }

  start(socket: TLSSocket): void {
    this.#socket = socket;
    const settings = settingsFrame([
      [settingIDs.headerTableSize, 0],
      [settingIDs.enablePush, 0],
      [settingIDs.initialWindowSize, maxWindow],
    ]);
    socket.write(Buffer.concat([preface, settings, windowUpdate(0, maxWindow - 65_535)]));
  }

  send({ method, path, contentType, body }: OutgoingRequest, handler: ResponseHandler): void {
    if (this.#failure) return handler.onError(this.#failure);
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(stream, handler);
    const block = this.#encoder.encode(method, path, body === undefined ? undefined : (contentType ?? 'application/json'));
    const headers = frame(frameTypes.headers, flags.endHeaders | (body === undefined ? flags.endStream : 0), stream, block);
    if (body === undefined) {
      this.#socket?.write(headers);
      return;
    }
    const bytes = Buffer.from(body);
    if (bytes.length > Math.min(maxFrameBytes, this.#initialWindow)) throw new Error(`a body of ${bytes.length} bytes is too large`);
    if (this.#waiting.length === 0 && this.#sendWindow >= bytes.length) {
      this.#sendWindow -= bytes.length;
      this.#socket?.write(Buffer.concat([headers, frame(frameTypes.data, flags.endStream, stream, bytes)]));
    } else {
      this.#socket?.write(headers);
      this.#waiting.push({ stream, body: bytes });
    }
  }

  read(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.#headerFilled < headerBytes) {
        const taken = Math.min(headerBytes - this.#headerFilled, length - at);
        bytes.copy(this.#header, this.#headerFilled, at, at + taken);
        this.#headerFilled += taken;
        at += taken;
        if (this.#headerFilled < headerBytes) return;
        this.#remaining = this.#header.readUIntBE(0, 3);
        this.#payloadFilled = 0;
        if (this.#remaining === 0) this.#endFrame();
        continue;
      }
      const end = Math.min(length, at + this.#remaining);
      if (this.#header[3] === frameTypes.data) this.#readData(bytes, at, end);
      else this.#collect(bytes, at, end);
      this.#remaining -= end - at;
      at = end;
      if (this.#remaining === 0) this.#endFrame();
    }
  }

  fail(error: Error): void {
    this.#failure = error;
    for (const handler of this.#streams.values()) handler.onError(error);
    this.#streams.clear();
  }

  #stream(): number {
    return this.#header.readUInt32BE(5) & maxWindow;
  }

  #readData(bytes: Buffer, start: number, end: number): void {
    if (((this.#header[4] ?? 0) & flags.padded) !== 0) throw new Error('padded DATA frames are not understood');
    this.#unacknowledged += end - start;
    if (this.#unacknowledged > refillBytes) {
      this.#socket?.write(windowUpdate(0, this.#unacknowledged));
      this.#unacknowledged = 0;
    }
    this.#streams.get(this.#stream())?.onData(bytes, start, end);
  }

  #collect(bytes: Buffer, start: number, end: number): void {
    bytes.copy(this.#payload, this.#payloadFilled, start, end);
    this.#payloadFilled += end - start;
  }

  #endFrame(): void {
    this.#headerFilled = 0;
    const type = this.#header[3];
    const flag = this.#header[4] ?? 0;
    const payload = this.#payload.subarray(0, this.#payloadFilled);
    if (type === frameTypes.headers) this.#endHeaders(flag, payload);
    else if (type === frameTypes.resetStream) this.#take()?.onError(new Error(`the stream was reset (${payload.readUInt32BE()})`));
    else if (type === frameTypes.windowUpdate && this.#stream() === 0) this.#flush(payload.readUInt32BE() & maxWindow);
    else if (type === frameTypes.settings && (flag & flags.ack) === 0) this.#applySettings(payload);
    else if (type === frameTypes.ping && (flag & flags.ack) === 0) this.#socket?.write(frame(frameTypes.ping, flags.ack, 0, payload));
    else if (type === frameTypes.goAway) this.fail(new Error(`the server said GOAWAY (${payload.readUInt32BE(4)})`));
    if ((type === frameTypes.data || type === frameTypes.headers) && (flag & flags.endStream) !== 0) this.#take()?.onEnd();
  }

  /** A second HEADERS frame of a stream carries trailers, which have no status. */
  #endHeaders(flag: number, payload: Buffer): void {
    const start = (flag & flags.priority) === 0 ? 0 : 5;
    const status = readStatus(payload.subarray(start));
    if (status !== undefined) this.#streams.get(this.#stream())?.onStatus(status);
  }

  #take(): ResponseHandler | undefined {
    const handler = this.#streams.get(this.#stream());
    this.#streams.delete(this.#stream());
    return handler;
  }

  #applySettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6)
      if (payload.readUInt16BE(at) === settingIDs.initialWindowSize) this.#initialWindow = payload.readUInt32BE(at + 2);
    this.#socket?.write(frame(frameTypes.settings, flags.ack, 0, Buffer.alloc(0)));
  }

  #flush(opened: number): void {
    this.#sendWindow += opened;
    let sent = 0;
    for (const { stream, body } of this.#waiting) {
      if (this.#sendWindow < body.length) break;
      this.#sendWindow -= body.length;
      this.#socket?.write(frame(frameTypes.data, flags.endStream, stream, body));
      sent++;
    }
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }
}
