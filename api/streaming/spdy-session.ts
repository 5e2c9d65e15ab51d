import { AsyncQueue } from '../base/async-queue.ts';
import type { ByteChannel } from '../client/transport.ts';
import { SPDYError } from './spdy-error.ts';
import { createSPDYDecoder, createSPDYEncoder, type SPDYFrame } from './spdy-frames.ts';
import { type InflateHeaders, parseSPDYHeaders, type SPDYHeaders } from './spdy-headers.ts';

/** A stream of a session, in both directions. */
export interface SPDYStream extends ByteChannel {
  readonly headers: SPDYHeaders;
}

/**
 * SPDY/3.1 over a connection that has been upgraded to it. Flow control windows are neither kept nor announced, as in the
 * peers that Kubernetes has; when streams are not read, reading of the whole connection pauses.
 */
export interface SPDYSession {
  /** Opens a stream; resolves once the peer has replied. Rejects if it resets the stream or the connection ends. */
  open(headers: Readonly<Record<string, string>>): Promise<SPDYStream>;
  /** Streams that the peer opens; replied to already. */
  readonly accepted: AsyncIterable<SPDYStream>;
  /** Tells the peer that the session ends and closes the connection. */
  close(): void;
  /** Resolves once the connection has ended, however it did. */
  readonly closed: Promise<void>;
}

interface SPDYSessionOptions {
  readonly channel: ByteChannel;
  readonly role: 'client' | 'server';
  readonly inflate: InflateHeaders;
}

const maxHeaderBytes = 64 * 1024;
/** Unread bytes of all streams above which the connection is not read. */
const maxUnreadBytes = 4 * 1024 * 1024;
const maxStreams = 1000;
const statusProtocolError = 1;
const statusRefused = 3;
const statusCancel = 5;

export function createSPDYSession(options: SPDYSessionOptions): SPDYSession {
  return new Session(options);
}

class Session implements SPDYSession {
  readonly accepted = new AsyncQueue<SPDYStream>();
  readonly closed: Promise<void>;
  readonly #channel: ByteChannel;
  readonly #inflate: InflateHeaders;
  readonly encoder = createSPDYEncoder();
  readonly #streams = new Map<number, Stream>();
  #nextId: number;
  #unreadBytes = 0;
  #resume: (() => void) | undefined;
  #isClosed = false;

  constructor({ channel, role, inflate }: SPDYSessionOptions) {
    this.#channel = channel;
    this.#inflate = inflate;
    this.#nextId = role === 'client' ? 1 : 2;
    this.closed = this.#run();
  }

  async open(headers: Readonly<Record<string, string>>): Promise<SPDYStream> {
    if (this.#isClosed) throw new SPDYError('connection is closed');
    const streamID = this.#nextId;
    this.#nextId += 2;
    const stream = new Stream(this, streamID, new Map(Object.entries(headers)));
    this.#streams.set(streamID, stream);
    await this.send(this.encoder.open(streamID, headers));
    await stream.replied;
    return stream;
  }

  close(): void {
    if (!this.#isClosed) this.send(this.encoder.goaway()).catch(() => undefined);
    this.#channel.destroy();
  }

  send(frame: Uint8Array): Promise<void> {
    return this.#isClosed ? Promise.reject(new SPDYError('connection is closed')) : this.#channel.write(frame);
  }

  forget(streamID: number): void {
    this.#streams.delete(streamID);
  }

  countUnread(bytes: number): void {
    this.#unreadBytes += bytes;
    if (this.#unreadBytes > maxUnreadBytes) return;
    this.#resume?.();
    this.#resume = undefined;
  }

  async #run(): Promise<void> {
    let failure: unknown;
    try {
      const decode = createSPDYDecoder();
      for await (const bytes of this.#channel.incoming) {
        for (const frame of decode(bytes)) await this.#handle(frame);
        if (this.#unreadBytes > maxUnreadBytes) await new Promise<void>((resolve) => (this.#resume = resolve));
      }
    } catch (error) {
      failure = error;
      this.#channel.destroy(error instanceof Error ? error : undefined);
    }
    this.#isClosed = true;
    for (const stream of this.#streams.values()) stream.abort(failure ?? new SPDYError('connection is closed'));
    this.#streams.clear();
    this.accepted.end();
    if (failure === undefined) this.#channel.end();
  }

  async #handle(frame: SPDYFrame): Promise<void> {
    switch (frame.kind) {
      case 'data':
        return this.#streams.get(frame.streamID)?.receive(frame.payload, frame.isLast);
      case 'open':
        return this.#accept(frame.streamID, await this.#readHeaders(frame.headerBlock), frame.isLast);
      case 'reply':
      case 'headers': {
        // Every block has to be inflated, for the sake of those that follow.
        await this.#readHeaders(frame.headerBlock);
        const stream = this.#streams.get(frame.streamID);
        stream?.reply();
        return frame.isLast ? stream?.receive(new Uint8Array(0), true) : undefined;
      }
      case 'reset':
        return this.#streams.get(frame.streamID)?.abort(new SPDYError(`stream was reset with status ${frame.status}`));
      case 'ping':
        return this.send(this.encoder.ping(frame.id));
      case 'goaway':
        return;
    }
  }

  async #readHeaders(block: Uint8Array): Promise<SPDYHeaders> {
    if (block.length > maxHeaderBytes) throw new SPDYError('header block is too long');
    const raw = await this.#inflate(block);
    if (raw.length > maxHeaderBytes) throw new SPDYError('header block is too long');
    return parseSPDYHeaders(raw);
  }

  async #accept(streamID: number, headers: SPDYHeaders, isLast: boolean): Promise<void> {
    if (streamID % 2 === this.#nextId % 2 || this.#streams.has(streamID)) {
      return this.send(this.encoder.reset(streamID, statusProtocolError));
    }
    if (this.#streams.size >= maxStreams) return this.send(this.encoder.reset(streamID, statusRefused));
    const stream = new Stream(this, streamID, headers);
    this.#streams.set(streamID, stream);
    stream.reply();
    await this.send(this.encoder.reply(streamID));
    if (isLast) stream.receive(new Uint8Array(0), true);
    this.accepted.push(stream);
  }
}

class Stream implements SPDYStream {
  readonly headers: SPDYHeaders;
  readonly incoming: AsyncIterable<Uint8Array>;
  readonly replied: Promise<void>;
  readonly closed: Promise<void>;
  readonly reply: () => void;
  readonly #failReply: (error: unknown) => void;
  readonly #resolveClosed: () => void;
  readonly #session: Session;
  readonly #id: number;
  readonly #queue = new AsyncQueue<Uint8Array>();
  #unreadBytes = 0;
  #hasEnded = false;
  #peerHasEnded = false;

  constructor(session: Session, id: number, headers: SPDYHeaders) {
    this.#session = session;
    this.#id = id;
    this.headers = headers;
    const replied = Promise.withResolvers<void>();
    // No caller waits for the reply to a stream that the peer opened.
    replied.promise.catch(() => undefined);
    const closed = Promise.withResolvers<void>();
    this.replied = replied.promise;
    this.reply = replied.resolve;
    this.#failReply = replied.reject;
    this.closed = closed.promise;
    this.#resolveClosed = closed.resolve;
    this.incoming = this.#read();
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const data of this.#queue) {
        this.#count(-data.length);
        yield data;
      }
    } finally {
      this.#count(-this.#unreadBytes);
    }
  }

  #count(bytes: number): void {
    this.#unreadBytes += bytes;
    this.#session.countUnread(bytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (const frame of this.#session.encoder.data(this.#id, bytes)) {
      if (this.#hasEnded) throw new SPDYError('stream has ended');
      await this.#session.send(frame);
    }
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // If the connection has gone, so has the stream.
    this.#session.send(this.#session.encoder.end(this.#id)).catch(() => undefined);
    this.#finishIfDone();
  }

  destroy(error?: Error): void {
    if (this.#hasEnded && this.#peerHasEnded) return;
    this.#session.send(this.#session.encoder.reset(this.#id, statusCancel)).catch(() => undefined);
    this.abort(error ?? new SPDYError('stream was cut'));
  }

  receive(data: Uint8Array, fin: boolean): void {
    if (this.#peerHasEnded) return;
    if (data.length > 0 && this.#queue.push(data)) this.#count(data.length);
    if (!fin) return;
    this.#peerHasEnded = true;
    this.#queue.end();
    this.#finishIfDone();
  }

  abort(error: unknown): void {
    this.#failReply(error);
    this.#hasEnded = true;
    if (!this.#peerHasEnded) this.#queue.fail(error);
    this.#peerHasEnded = true;
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (!this.#hasEnded || !this.#peerHasEnded) return;
    this.#session.forget(this.#id);
    this.#resolveClosed();
  }
}
