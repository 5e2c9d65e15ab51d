import type { ByteChannel } from './transport.ts';

/** A two-way stream in memory: bytes written to one end arrive at the other. */
export function createChannelPair(): readonly [ByteChannel, ByteChannel] {
  const forth = new Pipe();
  const back = new Pipe();
  const closed = Promise.all([forth.finished, back.finished]).then(() => undefined);
  return [channel(back, forth, closed), channel(forth, back, closed)];
}

function channel(incoming: Pipe, outgoing: Pipe, closed: Promise<void>): ByteChannel {
  return {
    incoming: incoming.read(),
    write: (bytes) => outgoing.write(bytes),
    end: () => outgoing.end(),
    destroy(error) {
      incoming.destroy(error);
      outgoing.destroy(error);
    },
    closed,
  };
}

/** How much may wait unread before writers are held back, in bytes. */
const highWaterBytes = 64 * 1024;

class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #isEnded = false;
  #error: Error | undefined;
  #wakeReader: () => void = () => {};
  #wakeWriters: (() => void)[] = [];
  readonly #finish = Promise.withResolvers<void>();
  readonly finished: Promise<void> = this.#finish.promise;

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isEnded) throw this.#error ?? new Error('the channel is closed');
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#wakeReader();
    while (this.#waitingBytes > highWaterBytes && !this.#isEnded) await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
  }

  end(): void {
    this.#isEnded = true;
    this.#wakeReader();
    this.#releaseWriters();
    if (this.#chunks.length === 0) this.#finish.resolve();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#chunks.length = 0;
    this.end();
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#waitingBytes -= chunk.length;
        this.#releaseWriters();
        yield chunk;
      } else if (this.#isEnded) {
        this.#finish.resolve();
        if (this.#error !== undefined) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  #releaseWriters(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}
