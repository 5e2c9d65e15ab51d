import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { formatKey, keyOf, type KubeObject } from '../../../api/meta/object.ts';

/** After this time a write that was not seen is given up: a relist may have skipped its version. */
const expiryMs = 30_000;

/**
 * Remembers what a controller wrote until its cache shows it, so that it does not decide again on the state from before.
 * For owners whose dependents have no fixed names; where names are fixed, conflicts tell.
 */
export class WriteTracker {
  readonly #clock: Clock;
  /** Owner -> dependent -> the version written ('' for a delete). */
  readonly #written = new Map<string, Map<string, { readonly version: string; readonly atMs: number }>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wrote(owner: string, object: DeepReadonly<KubeObject>): void {
    this.#set(owner, object, object.metadata.resourceVersion ?? '');
  }

  deleted(owner: string, object: DeepReadonly<KubeObject>): void {
    this.#set(owner, object, '');
  }

  /** To be called by the informer's handlers. */
  saw(owner: string, object: DeepReadonly<KubeObject>, isDeleted: boolean): void {
    const dependents = this.#written.get(owner);
    const key = formatKey(keyOf(object));
    if (isDeleted || dependents?.get(key)?.version === object.metadata.resourceVersion) dependents?.delete(key);
    if (dependents?.size === 0) this.#written.delete(owner);
  }

  /** Whether the cache shows all that was written. */
  isCurrent(owner: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    for (const { atMs } of this.#written.get(owner)?.values() ?? []) if (nowMs - atMs < expiryMs) return false;
    return true;
  }

  forget(owner: string): void {
    this.#written.delete(owner);
  }

  #set(owner: string, object: DeepReadonly<KubeObject>, version: string): void {
    const dependents = this.#written.get(owner) ?? new Map<string, { version: string; atMs: number }>();
    dependents.set(formatKey(keyOf(object)), { version, atMs: this.#clock.monotonicMs() });
    this.#written.set(owner, dependents);
  }
}
