import { nextTick } from 'node:process';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../../api/base/clock.ts';
import {
  connectionPreface,
  defaultMaxFrameSize,
  defaultWindowSize,
  errorCode,
  type Frame,
  frameFlag,
  frameHeaderSize,
  FrameReader,
  frameType,
  HTTP2Error,
  pingFrame,
  readSettings,
  rstStreamFrame,
  setting,
  settingsAck,
  settingsFrame,
  uint31,
  uint32,
  windowUpdateFrame,
  writeFrameHead,
} from '../../../api/streaming/http2/frames.ts';
import { encodeHeaders, HeaderDecoder } from '../../../api/streaming/http2/hpack.ts';
import { GRPCError, statusFromHeaders, unavailable } from './grpc-error.ts';
import { MessageReader, messageHeadSize, writeMessageHead } from './grpc-messages.ts';

/** The bytes that a stream may send before they are read, and all of them together. */
const streamWindow = 4 * 1024 * 1024;
const connectionWindow = 64 * 1024 * 1024;
const sweepMs = 250;
/** A connection that brings no data for this many milliseconds while an answer is awaited is tested with a ping, and then given up. */
const quietMs = 10_000;
const pingTimeoutMs = 5000;

/** The caller's view of a call. `onEnd` is the last. */
interface CallListener {
  onMessage(message: Uint8Array): void;
  /** undefined: the call has ended well. */
  onEnd(error: GRPCError | undefined): void;
  /** Whether received messages count as read at once; otherwise they do when `Call.read` is called. */
  readonly readsAtOnce: boolean;
}

export interface Call {
  send(message: Uint8Array, isLast: boolean): void;
  /** Records that this many bytes of messages have been used; the peer may send more. */
  read(bytes: number): void;
  cancel(): void;
}

interface Outgoing {
  readonly bytes: Uint8Array;
  sent: number;
  readonly isLast: boolean;
}

interface CallState {
  /** 0 until the first message is sent: numbers must go up in the order in which calls begin on the wire. */
  id: number;
  readonly listener: CallListener;
  readonly deadlineMs: number;
  readonly messages: MessageReader;
  /** Sent with the first message. */
  headerBlock: Uint8Array | undefined;
  headers: Map<string, string>;
  sendWindow: number;
  unread: number;
  outgoing: Outgoing[];
}

/**
 * gRPC over one HTTP/2 connection (RFC 9113), as far as a client needs it: calls with messages in both directions, flow
 * control, deadlines, pings. What Node's http2 and a general gRPC library spend on objects for each call is most of what a
 * write to etcd costs; here a call is one buffer out, and all that is asked in one turn leaves in one write.
 */
export class GRPCConnection {
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #headersFor: (path: string) => Uint8Array;
  readonly #frames = new FrameReader();
  readonly #headerDecoder = new HeaderDecoder();
  readonly #calls = new Map<number, CallState>();
  readonly #blocked = new Set<CallState>();
  #out: Uint8Array[] = [];
  #isFlushing = false;
  #nextID = 1;
  #isLeaving = false;
  #isClosed = false;
  #sendWindow = defaultWindowSize;
  #initialSendWindow = defaultWindowSize;
  #maxFrameSize = defaultMaxFrameSize;
  #maxCalls = Number.POSITIVE_INFINITY;
  #unread = 0;
  /** Header block whose CONTINUATION frames are awaited. */
  #partialBlock: { readonly streamID: number; readonly flags: number; bytes: Uint8Array } | undefined;
  #heardMs: number;
  #pingedMs: number | undefined;
  #sweepTimer: Timer | undefined;
  #sweepDelayMs = Number.POSITIVE_INFINITY;
  /** Resolves when the peer has sent its settings; rejects if the connection is lost before. */
  readonly ready: Promise<void>;
  readonly #becomeReady: () => void;
  readonly #failReady: (error: GRPCError) => void;

  /** Takes a socket that is connected. */
  constructor(socket: Duplex, dependencies: { readonly clock: Clock; readonly authority: string; readonly scheme: 'http' | 'https' }) {
    const { clock, authority, scheme } = dependencies;
    this.#socket = socket;
    this.#clock = clock;
    this.#heardMs = clock.monotonicMs();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#becomeReady = resolve;
    this.#failReady = reject;
    const blocks = new Map<string, Uint8Array>();
    this.#headersFor = (path) => {
      let block = blocks.get(path);
      if (!block) blocks.set(path, (block = requestHeaders(path, authority, scheme)));
      return block;
    };
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    socket.on('error', (error) => this.#close(unavailable(`connection lost: ${error.message}`, true)));
    socket.on('close', () => this.#close(unavailable('connection closed', true)));
    this.#write(Buffer.from(connectionPreface));
    this.#write(
      settingsFrame([
        [setting.enablePush, 0],
        [setting.initialWindowSize, streamWindow],
      ]),
    );
    this.#write(windowUpdateFrame(0, connectionWindow - defaultWindowSize));
  }

  /** Whether it takes another call now. */
  get isOpen(): boolean {
    return !this.#isClosed && !this.#isLeaving && this.#nextID < 2 ** 31 - 1;
  }

  get isFull(): boolean {
    return this.#calls.size >= this.#maxCalls;
  }

  /** Begins a call; nothing is sent before its first message. `deadlineMs` is of the wall clock. */
  call(path: string, listener: CallListener, deadlineMs = Number.POSITIVE_INFINITY): Call {
    const state: CallState = {
      id: 0,
      listener,
      deadlineMs,
      messages: new MessageReader(),
      headerBlock: this.#headersFor(path),
      headers: new Map(),
      sendWindow: this.#initialSendWindow,
      unread: 0,
      outgoing: [],
    };
    this.#sweepIn(deadlineMs === Number.POSITIVE_INFINITY ? pingTimeoutMs : sweepMs);
    return {
      send: (message, isLast) => this.#send(state, message, isLast),
      read: (bytes) => this.#countRead(state, bytes),
      cancel: () => this.#cancel(state, new GRPCError(1, 'the call was cancelled', true)),
    };
  }

  /** Ends it and every call. */
  destroy(): void {
    this.#close(unavailable('connection closed by the client', true));
    this.#socket.destroy();
  }

  #send(call: CallState, message: Uint8Array, isLast: boolean): void {
    const size = messageHeadSize + message.length;
    const block = call.headerBlock;
    call.headerBlock = undefined;
    if (block) {
      if (this.#isClosed) return call.listener.onEnd(unavailable('the connection is closed', false));
      call.id = this.#nextID;
      this.#nextID += 2;
      this.#calls.set(call.id, call);
    } else if (!this.#calls.has(call.id)) return undefined;
    const headSize = block ? frameHeaderSize + block.length : 0;
    const fits = call.outgoing.length === 0 && size <= Math.min(this.#maxFrameSize, this.#sendWindow, call.sendWindow);
    const bytes = Buffer.allocUnsafe(headSize + (fits ? frameHeaderSize + size : 0));
    let at = 0;
    if (block) {
      at = writeFrameHead(bytes, 0, frameType.headers, frameFlag.endHeaders, call.id, block.length);
      bytes.set(block, at);
      at += block.length;
    }
    if (fits) {
      at = writeFrameHead(bytes, at, frameType.data, isLast ? frameFlag.endStream : 0, call.id, size);
      bytes.set(message, writeMessageHead(bytes, at, message.length));
      this.#sendWindow -= size;
      call.sendWindow -= size;
    }
    if (bytes.length > 0) this.#write(bytes);
    if (fits) return undefined;
    const framed = Buffer.allocUnsafe(size);
    framed.set(message, writeMessageHead(framed, 0, message.length));
    call.outgoing.push({ bytes: framed, sent: 0, isLast });
    this.#blocked.add(call);
    return this.#sendBlocked();
  }

  /** Sends the waiting bytes that larger windows allow. */
  #sendBlocked(): void {
    for (const call of this.#blocked) {
      for (let next = call.outgoing[0]; next; next = call.outgoing[0]) {
        const size = Math.min(next.bytes.length - next.sent, this.#maxFrameSize, this.#sendWindow, call.sendWindow);
        if (size <= 0) break;
        const isEnd = next.isLast && next.sent + size === next.bytes.length;
        const head = Buffer.allocUnsafe(frameHeaderSize);
        writeFrameHead(head, 0, frameType.data, isEnd ? frameFlag.endStream : 0, call.id, size);
        this.#write(head);
        this.#write(next.bytes.subarray(next.sent, next.sent + size));
        next.sent += size;
        this.#sendWindow -= size;
        call.sendWindow -= size;
        if (next.sent === next.bytes.length) call.outgoing.shift();
      }
      if (call.outgoing.length === 0) this.#blocked.delete(call);
      if (this.#sendWindow <= 0) return;
    }
  }

  /** Collects the bytes written in one turn of the event loop into one write. */
  #write(bytes: Uint8Array): void {
    this.#out.push(bytes);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // Runs after the present work, and before anything else is read.
    nextTick(() => {
      this.#isFlushing = false;
      const out = this.#out;
      this.#out = [];
      const [first] = out;
      if (!this.#isClosed && first) this.#socket.write(out.length === 1 ? first : Buffer.concat(out));
    });
  }

  #receive(chunk: Uint8Array): void {
    this.#heardMs = this.#clock.monotonicMs();
    this.#pingedMs = undefined;
    try {
      this.#frames.push(chunk, (frame) => this.#take(frame));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#close(unavailable(`the answer cannot be read: ${message}`, true));
      this.#socket.destroy();
    }
  }

  #take(frame: Frame): void {
    const { type, flags, streamID, payload } = frame;
    if (this.#partialBlock && type !== frameType.continuation)
      throw new HTTP2Error(errorCode.protocolError, 'a header block is not finished');
    switch (type) {
      case frameType.data:
        return this.#takeData(frame);
      case frameType.headers:
        return this.#takeBlock(streamID, flags, payload);
      case frameType.continuation: {
        const partial = this.#partialBlock;
        if (!partial || partial.streamID !== streamID) throw new HTTP2Error(errorCode.protocolError, 'CONTINUATION of no header block');
        this.#partialBlock = undefined;
        return this.#takeBlock(streamID, partial.flags | (flags & frameFlag.endHeaders), Buffer.concat([partial.bytes, payload]));
      }
      case frameType.settings:
        if ((flags & frameFlag.ack) === 0) this.#takeSettings(payload);
        return undefined;
      case frameType.ping:
        if ((flags & frameFlag.ack) === 0) this.#write(pingFrame(payload, true));
        return undefined;
      case frameType.windowUpdate:
        return this.#takeWindow(streamID, uint31(payload, 0));
      case frameType.rstStream: {
        const call = this.#calls.get(streamID);
        const code = uint32(payload, 0);
        if (call) this.#end(call, unavailable(`the call was reset with error ${code}`, code !== errorCode.refusedStream));
        return undefined;
      }
      case frameType.goAway:
        return this.#takeGoAway(uint31(payload, 0));
      case frameType.pushPromise:
        throw new HTTP2Error(errorCode.protocolError, 'a push that was not allowed');
      default:
        return undefined;
    }
  }

  #takeData({ flags, streamID, payload, size }: Frame): void {
    this.#unread += size;
    if (this.#unread > connectionWindow / 2) {
      this.#write(windowUpdateFrame(0, this.#unread));
      this.#unread = 0;
    }
    const call = this.#calls.get(streamID);
    if (!call) return;
    if (call.listener.readsAtOnce) this.#countRead(call, size);
    else this.#countRead(call, size - payload.length);
    call.messages.push(payload, (message) => call.listener.onMessage(message));
    if ((flags & frameFlag.endStream) !== 0) this.#end(call, new GRPCError(13, 'the call ended without a status', true));
  }

  #countRead(call: CallState, bytes: number): void {
    call.unread += bytes;
    if (call.unread <= streamWindow / 2 || !this.#calls.has(call.id)) return;
    this.#write(windowUpdateFrame(call.id, call.unread));
    call.unread = 0;
  }

  #takeBlock(streamID: number, flags: number, bytes: Uint8Array): void {
    if ((flags & frameFlag.endHeaders) === 0) {
      this.#partialBlock = { streamID, flags, bytes };
      return;
    }
    // Headers of a stream that is gone still change the table.
    const headers = this.#headerDecoder.decode(bytes);
    const call = this.#calls.get(streamID);
    if (!call) return;
    for (const [name, value] of headers) call.headers.set(name, value);
    if ((flags & frameFlag.endStream) !== 0) this.#end(call, statusFromHeaders(call.headers));
  }

  #takeSettings(payload: Uint8Array): void {
    for (const [id, value] of readSettings(payload)) {
      if (id === setting.maxFrameSize) this.#maxFrameSize = value;
      else if (id === setting.maxConcurrentStreams) this.#maxCalls = value;
      else if (id === setting.initialWindowSize) {
        for (const call of this.#calls.values()) call.sendWindow += value - this.#initialSendWindow;
        this.#initialSendWindow = value;
      }
    }
    this.#write(settingsAck);
    this.#sendBlocked();
    this.#becomeReady();
  }

  #takeWindow(streamID: number, increment: number): void {
    if (streamID === 0) this.#sendWindow += increment;
    else {
      const call = this.#calls.get(streamID);
      if (call) call.sendWindow += increment;
    }
    if (this.#blocked.size > 0) this.#sendBlocked();
  }

  /** The peer takes no more calls; those above `lastID` it has not looked at. */
  #takeGoAway(lastID: number): void {
    this.#isLeaving = true;
    for (const call of this.#calls.values()) if (call.id > lastID) this.#end(call, unavailable('the connection is going away', false));
    if (this.#calls.size === 0) this.#socket.end();
  }

  #cancel(call: CallState, error: GRPCError): void {
    if (!this.#calls.has(call.id)) return;
    this.#write(rstStreamFrame(call.id, errorCode.cancel));
    this.#end(call, error);
  }

  #end(call: CallState, error: GRPCError | undefined): void {
    if (!this.#calls.delete(call.id)) return;
    this.#blocked.delete(call);
    call.listener.onEnd(error);
    if (this.#isLeaving && this.#calls.size === 0) this.#socket.end();
  }

  #close(error: GRPCError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sweepTimer?.cancel();
    this.#failReady(error);
    for (const call of this.#calls.values()) this.#end(call, error);
  }

  #sweepIn(delayMs: number): void {
    if (delayMs >= this.#sweepDelayMs || this.#isClosed) return;
    this.#sweepTimer?.cancel();
    this.#sweepDelayMs = delayMs;
    this.#sweepTimer = this.#clock.setTimer(delayMs, () => this.#sweep(), { background: true });
  }

  /** Ends the calls whose deadline has passed, and the connection if its peer no longer answers. */
  #sweep(): void {
    this.#sweepDelayMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.nowMs();
    let hasDeadline = false;
    for (const call of this.#calls.values()) {
      if (call.deadlineMs <= wallMs) this.#cancel(call, new GRPCError(4, 'Deadline exceeded', true));
      else hasDeadline ||= call.deadlineMs !== Number.POSITIVE_INFINITY;
    }
    if (this.#calls.size === 0) return;
    if (this.#pingedMs !== undefined && nowMs - this.#pingedMs >= pingTimeoutMs) return this.destroy();
    if (this.#pingedMs === undefined && nowMs - this.#heardMs >= quietMs) {
      this.#pingedMs = nowMs;
      this.#write(pingFrame(new Uint8Array(8), false));
    }
    this.#sweepIn(hasDeadline ? sweepMs : pingTimeoutMs);
  }
}

function requestHeaders(path: string, authority: string, scheme: string): Uint8Array {
  return encodeHeaders([
    [':method', 'POST'],
    [':scheme', scheme],
    [':path', path],
    [':authority', authority],
    ['te', 'trailers'],
    ['content-type', 'application/grpc'],
    ['user-agent', 'kubets'],
  ]);
}
