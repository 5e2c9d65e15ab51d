import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { type Storage, StorageError, type StorageEvent, type StoredEntry } from '../storage.ts';
import { readPages } from './read-pages.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { RevisionGate } from './revision-gate.ts';

interface SealedCachesDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The revision up to which the store has been followed. */
  readonly gate: RevisionGate;
  readonly signal: AbortSignal;
  belongsTo(key: string, cache: ResourceCache): boolean;
}

interface Sealed {
  /** The changes since the present attempt to load the cache began. */
  events: StorageEvent[];
}

const retryDelayMs = 1000;
/** The most changes that are kept during one attempt; with more, the attempt starts again. */
const maxEvents = 100_000;
const catchUpMs = 60_000;

/**
 * The caches of resources with values whose keys are not available at present (a KMS plugin does not answer). They answer
 * nothing, are loaded anew as soon as their values can be decrypted, and hold up no other cache until then.
 */
export class SealedCaches {
  readonly #dependencies: SealedCachesDependencies;
  readonly #sealed = new Map<ResourceCache, Sealed>();
  readonly #recoveries = new Set<Promise<void>>();

  constructor(dependencies: SealedCachesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Takes a change over from its cache, where that is sealed or is sealed by this change. */
  takes(cache: ResourceCache, event: StorageEvent): boolean {
    if (!this.#sealed.has(cache)) {
      if (!event.entry?.isSealed) return false;
      this.add(cache);
    }
    const events = this.#sealed.get(cache)?.events;
    if (events !== undefined && events.length <= maxEvents) events.push(event);
    return true;
  }

  add(cache: ResourceCache): void {
    const { gate, logger } = this.#dependencies;
    if (this.#sealed.has(cache)) return;
    logger.error('the keys of a resource are not available: it is not served until they are', { prefix: cache.resourcePrefix });
    cache.seal(gate.revision ?? 0);
    const sealed: Sealed = { events: [] };
    this.#sealed.set(cache, sealed);
    const recovery = this.#recover(cache, sealed);
    this.#recoveries.add(recovery);
    void recovery.finally(() => this.#recoveries.delete(recovery));
  }

  has(cache: ResourceCache): boolean {
    return this.#sealed.has(cache);
  }

  /** Drops all caches, because another reader loads them anew. */
  clear(): void {
    this.#sealed.clear();
  }

  /** Resolves when no attempt is under way any more, after the signal was aborted. */
  async ended(): Promise<void> {
    await Promise.all(this.#recoveries);
  }

  async #recover(cache: ResourceCache, sealed: Sealed): Promise<void> {
    const { clock, logger, signal } = this.#dependencies;
    while (!signal.aborted && this.#sealed.get(cache) === sealed) {
      try {
        if (await this.#load(cache, sealed)) {
          logger.info('the keys of a resource are available again: it is served', { prefix: cache.resourcePrefix });
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        const isExpected = error instanceof StorageError && error.reason === 'unavailable';
        if (!isExpected) logger.error('a resource cannot be loaded anew; trying again', { prefix: cache.resourcePrefix, error });
      }
      await sleep(clock, retryDelayMs, signal).catch(() => undefined); // closing
    }
  }

  /** Whether the cache serves again. */
  async #load(cache: ResourceCache, sealed: Sealed): Promise<boolean> {
    const { storage, gate, signal, belongsTo } = this.#dependencies;
    sealed.events = [];
    const entries: StoredEntry[] = [];
    const { revision } = await readPages(storage, { prefix: cache.resourcePrefix }, (page) => entries.push(...page));
    await gate.reach(revision, { timeoutMs: catchUpMs, signal });
    const later = sealed.events.filter((event) => event.revision > revision);
    const isWhole = sealed.events.length <= maxEvents && later.every(({ entry }) => !entry?.isSealed);
    if (!isWhole || this.#sealed.get(cache) !== sealed) return false;
    this.#sealed.delete(cache);
    cache.reset(revision);
    for (const entry of entries) if (belongsTo(entry.key, cache)) cache.load(entry);
    for (const event of later) cache.apply(event);
    cache.publish();
    return true;
  }
}
