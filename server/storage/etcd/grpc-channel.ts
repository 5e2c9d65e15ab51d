import type { Duplex } from 'node:stream';
import type { Clock } from '../../../api/base/clock.ts';
import { type Call, GRPCConnection } from './grpc-connection.ts';
import { GRPCError, unavailable } from './grpc-error.ts';

/** Calls to one server, on a connection that is made when needed and made again when lost. Throws GRPCError. */
interface GRPCChannel {
  /** Sends one message and receives one. `deadlineMs` is a time of the wall clock. */
  unary(path: string, request: Uint8Array, deadlineMs: number): Promise<Uint8Array>;
  /** Messages in both directions. They are taken no faster than they are iterated. */
  stream(path: string): GRPCStream;
  close(): void;
}

export interface GRPCStream extends AsyncIterable<Uint8Array> {
  write(message: Uint8Array): void;
  cancel(): void;
}

interface GRPCChannelDependencies {
  readonly clock: Clock;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** Resolves with a socket that is connected, and to the right server. */
  connect(): Promise<Duplex>;
}

export function createGRPCChannel(dependencies: GRPCChannelDependencies): GRPCChannel {
  let connections: GRPCConnection[] = [];
  let connecting: Promise<void> | undefined;
  let isClosed = false;
  const free = () => connections.find((connection) => connection.isOpen && !connection.isFull);
  const connect = async () => {
    try {
      const socket = await dependencies.connect();
      const connection = new GRPCConnection(socket, dependencies);
      await connection.ready;
      connections = [connection, ...connections.filter(({ isOpen }) => isOpen)];
    } catch (cause) {
      throw unavailable(`no connection established: ${cause instanceof Error ? cause.message : String(cause)}`, false);
    } finally {
      connecting = undefined;
    }
  };
  const connected = async (): Promise<GRPCConnection> => {
    for (;;) {
      if (isClosed) throw unavailable('the channel is closed', false);
      const connection = free();
      if (connection) return connection;
      await (connecting ??= connect());
    }
  };
  return {
    unary(path, request, deadlineMs) {
      const connection = free();
      return connection
        ? callOnce(connection, path, request, deadlineMs)
        : connected().then((later) => callOnce(later, path, request, deadlineMs));
    },
    stream: (path) => new MessageStream(path, connected()),
    close() {
      isClosed = true;
      for (const connection of connections) connection.destroy();
    },
  };
}

function callOnce(connection: GRPCConnection, path: string, request: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let answer: Uint8Array | undefined;
    const call = connection.call(
      path,
      {
        readsAtOnce: true,
        onMessage: (message) => (answer = message),
        onEnd(error) {
          if (error || !answer) reject(error ?? new GRPCError(13, 'the call ended without an answer', true));
          else resolve(answer);
        },
      },
      deadlineMs,
    );
    call.send(request, true);
  });
}

class MessageStream implements GRPCStream {
  readonly #call: Promise<Call>;
  #received: Uint8Array[] = [];
  #ended: { readonly error: GRPCError | undefined } | undefined;
  #wake: (() => void) | undefined;
  #isCanceled = false;

  constructor(path: string, connection: Promise<GRPCConnection>) {
    this.#call = connection.then((opened) =>
      opened.call(path, {
        readsAtOnce: false,
        onMessage: (message) => {
          this.#received.push(message);
          this.#wake?.();
        },
        onEnd: (error) => this.#end(error),
      }),
    );
    this.#call.catch((error: unknown) => this.#end(error instanceof GRPCError ? error : unavailable(String(error), false)));
  }

  write(message: Uint8Array): void {
    this.#call.then(
      (call) => {
        if (!this.#isCanceled) call.send(message, false);
      },
      () => undefined, // told by the iteration
    );
  }

  cancel(): void {
    this.#isCanceled = true;
    this.#call.then(
      (call) => call.cancel(),
      () => undefined,
    );
    this.#end(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    for (;;) {
      const received = this.#received;
      this.#received = [];
      for (const message of received) {
        yield message;
        this.#call.then(
          (call) => call.read(message.length),
          () => undefined,
        );
      }
      if (this.#received.length > 0) continue;
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #end(error: GRPCError | undefined): void {
    this.#ended ??= { error };
    this.#wake?.();
  }
}
