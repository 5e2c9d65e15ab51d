import type { CacheEvent, CacheEvents } from './watch-cache.ts';

/** Events that are given together to every watch that sees the same. */
export class SharedEvents implements CacheEvents {
  readonly events: readonly CacheEvent[];
  /** Held weakly, as nobody needs it once the last watch has sent it. */
  #made: Map<string, WeakRef<object>> | undefined;

  constructor(events: readonly CacheEvent[]) {
    this.events = events;
  }

  shared<T extends object>(representation: string, make: () => T): T {
    const known = this.#made?.get(representation)?.deref();
    // A representation is always made by the same function, so the stored value has that function's type.
    if (known) return known as T;
    const made = make();
    this.#made ??= new Map();
    this.#made.set(representation, new WeakRef(made));
    return made;
  }
}
