/**
 * Hands values from a producer that cannot wait to one consumer that iterates. Ends, or fails with an error, after what was
 * pushed before has been consumed. When the consumer stops iterating, later values are dropped.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  #values: T[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  readonly #onReturn: (() => void) | undefined;

  /** `onReturn` is called once, when the consumer stops before the end. */
  constructor(options: { readonly onReturn?: () => void } = {}) {
    this.#onReturn = options.onReturn;
  }

  /** Values that wait to be consumed. A producer that must bound them looks here. */
  get size(): number {
    return this.#values.length;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** False once the queue has ended. */
  push(value: T): boolean {
    if (this.#end !== undefined) return false;
    this.#values.push(value);
    this.#notify();
    return true;
  }

  end(): void {
    this.#end ??= {};
    this.#notify();
  }

  /** Ends the iteration by throwing `error`. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const batch = this.#values;
        this.#values = [];
        yield* batch;
        if (this.#values.length > 0) continue;
        if (this.#end !== undefined) {
          if ('error' in this.#end) throw this.#end.error;
          return;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      if (this.#end === undefined) {
        this.#end = {};
        this.#values = [];
        this.#onReturn?.();
      }
    }
  }
}
