import type { Storage, WatchBatch } from '../storage.ts';

/** A store whose watches can be held back, as those of an etcd are when its connection is slow. */
export interface LaggingStorage {
  readonly storage: Storage;
  /** From now on no watch delivers anything. */
  hold(): void;
  /** Lets watches deliver the events that were held back, and all later ones. */
  release(): void;
}

/** Wraps a store: reads and commits pass, watches wait while they are held. Order and completeness stay those of the store. */
export function createLaggingStorage(inner: Storage): LaggingStorage {
  let held: PromiseWithResolvers<void> | undefined;
  async function* watch(options: Parameters<Storage['watch']>[0]): AsyncGenerator<WatchBatch> {
    const aborted = new Promise<void>((resolve) => options.signal.addEventListener('abort', () => resolve(), { once: true }));
    for await (const batch of inner.watch(options)) {
      while (held !== undefined && !options.signal.aborted) await Promise.race([held.promise, aborted]);
      if (options.signal.aborted) return;
      yield batch;
    }
  }
  return {
    // The methods of a store may live on its prototype.
    storage: Object.assign(Object.create(inner) as Storage, { watch }),
    hold() {
      held ??= Promise.withResolvers<void>();
    },
    release() {
      held?.resolve();
      held = undefined;
    },
  };
}
