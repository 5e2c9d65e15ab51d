import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import { formatKey, keyOf, type KubeObject, parseKey } from '../../../api/meta/object.ts';

/** After this time a write that was not seen is given up: another client may have deleted the object. */
const expiryMs = 30_000;

interface Write {
  /** '' for a delete. */
  readonly version: string;
  readonly atMs: number;
}

/**
 * Remembers the writes of a controller until its cache shows them, so that it does not decide again on the earlier state. For owners whose
 * dependents have no fixed names; fixed names cause conflicts instead.
 */
export class WriteTracker<T extends KubeObject> {
  readonly #clock: Clock;
  readonly #cache: Lister<T>;
  /** Owner -> dependent -> the last write. */
  readonly #written = new Map<string, Map<string, Write>>();

  constructor(clock: Clock, cache: Lister<T>) {
    this.#clock = clock;
    this.#cache = cache;
  }

  wrote(owner: string, object: DeepReadonly<T>): void {
    this.#set(owner, object, object.metadata.resourceVersion ?? '');
  }

  deleted(owner: string, object: DeepReadonly<T>): void {
    this.#set(owner, object, '');
  }

  /** Whether the cache shows all that was written for the owner. */
  isCurrent(owner: string): boolean {
    const writes = this.#written.get(owner);
    if (writes === undefined) return true;
    const nowMs = this.#clock.monotonicMs();
    for (const [key, write] of writes) if (this.#isSeen(key, write) || nowMs - write.atMs > expiryMs) writes.delete(key);
    if (writes.size > 0) return false;
    this.#written.delete(owner);
    return true;
  }

  forget(owner: string): void {
    this.#written.delete(owner);
  }

  /** The resource versions of one resource are growing numbers (KEP-5504). */
  #isSeen(key: string, { version }: Write): boolean {
    const cached = this.#cache.find(parseKey(key));
    if (cached === undefined || version === '') return cached === undefined && version === '';
    return BigInt(cached.metadata.resourceVersion ?? 0) >= BigInt(version);
  }

  #set(owner: string, object: DeepReadonly<T>, version: string): void {
    const writes = this.#written.get(owner) ?? new Map<string, Write>();
    writes.set(formatKey(keyOf(object)), { version, atMs: this.#clock.monotonicMs() });
    this.#written.set(owner, writes);
  }
}
