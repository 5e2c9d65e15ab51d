import sortedBTree from 'sorted-btree';
import type { Clock } from '../../../api/base/clock.ts';
import { sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { compareKeys } from '../mvcc/version-index.ts';
import type { Storage, StorageEvent, StoredEntry, WatchBatch } from '../storage.ts';
import { prefixEnd, StorageError } from '../storage.ts';
import { readPages } from './read-pages.ts';
import type { EventLogLimits } from './event-log.ts';
import { ResourceCache } from './resource-cache.ts';
import { coalesced, RevisionGate } from './revision-gate.ts';
import { SealedCaches } from './sealed-caches.ts';
import type { CachedResource } from './stored-object.ts';
import type { WatchCache } from './watch-cache.ts';

const BTree = sortedBTree.default;

const retryDelayMs = 1000;
/** The age is upstream's: clients come back within a minute. A log is as long as that takes, within the other bounds. */
const defaultLogLimits: EventLogLimits = { entries: 100_000, heldBytes: 32 * 1024 * 1024, ageMs: 75_000 };
/** How often the logs of resources that do not change are looked through. */
const trimEveryMs = 15_000;

export interface CacheSourceDependencies {
  readonly storage: Storage;
  /** All keys below it are followed, e.g. /registry/. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Decodes values written by a real kube-apiserver as protobuf (`k8s\0`) to JSON. Absent: they are reported as corrupt. */
  readonly decodeProtobuf?: (value: Uint8Array, key: string) => Uint8Array;
  /** Per resource. Older events are read from the store's history. */
  readonly logLimits?: Partial<EventLogLimits>;
}

/** Follows the whole store once and feeds the caches of all resources, so that all of them are at the same revision. */
export interface CacheSource {
  /** Resolves when everything has been read for the first time. */
  ready(): Promise<void>;
  /**
   * The cache of a resource, made at the first call; the resource may be known before or after the load, or come late
   * (a CustomResourceDefinition). A later call for the same prefix replaces the description.
   */
  cacheFor(resource: CachedResource): WatchCache;
  /** Ends the watches of a resource that is no longer served and drops its cache. Its stored objects remain counted. */
  release(resourcePrefix: string): void;
  /** Revision that all caches have reached; undefined before the load. */
  revision(): number | undefined;
  reach: WatchCache['reach'];
  /** The store was compacted to that revision: the caches drop earlier states, as those of other servers do. */
  forgetBefore(revision: number): void;
  /** Ends the following and all watches. */
  close(): Promise<void>;
}

export function createCacheSource(dependencies: CacheSourceDependencies): CacheSource {
  const follower = new Follower(dependencies);
  const running = follower.run();
  return {
    ready: () => follower.ready,
    cacheFor: (resource) => follower.cacheFor(resource),
    release: (resourcePrefix) => follower.release(resourcePrefix),
    revision: () => follower.gate.revision,
    reach: follower.reach,
    forgetBefore: (revision) => follower.forgetBefore(revision),
    async close() {
      follower.abort.abort();
      await running;
    },
  };
}

class Follower {
  readonly gate: RevisionGate;
  readonly abort = new AbortController();
  readonly ready: Promise<void>;
  readonly #dependencies: CacheSourceDependencies;
  readonly #caches = new Map<string, ResourceCache>();
  /** Entries of no known resource, until a resource claims them. */
  #unclaimed = new BTree<string, StoredEntry>(undefined, compareKeys);
  readonly #askNewest: () => Promise<number>;
  readonly #becomeReady: () => void;
  readonly #failReady: (error: StorageError) => void;
  readonly #logLimits: EventLogLimits;
  readonly #sealed: SealedCaches;
  #compacted = 0;
  #trimmedMs = 0;

  constructor(dependencies: CacheSourceDependencies) {
    this.#dependencies = dependencies;
    this.gate = new RevisionGate(dependencies.clock);
    this.#askNewest = coalesced(() => dependencies.storage.currentRevision());
    this.#logLimits = { ...defaultLogLimits, ...dependencies.logLimits };
    const { storage, clock, logger } = dependencies;
    const belongsTo = (key: string, cache: ResourceCache) => this.#cacheOf(key) === cache;
    this.#sealed = new SealedCaches({ ...{ storage, clock, logger, gate: this.gate, belongsTo }, signal: this.abort.signal });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined); // whoever waits is told; that nobody does is no error
    this.ready = promise;
    this.#becomeReady = resolve;
    this.#failReady = reject;
  }

  readonly reach: WatchCache['reach'] = (revision, options) => this.gate.reach(revision === 'newest' ? this.#askNewest : revision, options);

  forgetBefore(revision: number): void {
    this.#compacted = Math.max(this.#compacted, revision);
  }

  cacheFor(resource: CachedResource): ResourceCache {
    const known = this.#caches.get(resource.resourcePrefix);
    if (known) {
      known.reference.current = resource;
      for (const object of known.objects()) object.forgetDerived();
      return known;
    }
    const { clock, storage, decodeProtobuf } = this.#dependencies;
    const context = {
      clock,
      storage,
      revision: () => this.gate.revision,
      compacted: () => this.#compacted,
      reach: this.reach,
      logLimits: this.#logLimits,
    };
    const cache = new ResourceCache(context, { current: resource, decodeProtobuf });
    this.#caches.set(resource.resourcePrefix, cache);
    let isSealed = false;
    this.#unclaimed.editRange(resource.resourcePrefix, prefixEnd(resource.resourcePrefix), false, (_, entry) => {
      if (entry.isSealed) isSealed = true;
      else cache.load(entry);
      return { delete: true };
    });
    if (isSealed) this.#sealed.add(cache);
    return cache;
  }

  release(resourcePrefix: string): void {
    const cache = this.#caches.get(resourcePrefix);
    // A sealed cache does not know its objects: it stays until it does.
    if (!cache || this.#sealed.has(cache)) return;
    this.#caches.delete(resourcePrefix);
    for (const object of cache.objects()) this.#unclaimed.set(object.key, object.unclaimed());
    cache.close();
  }

  async run(): Promise<void> {
    const { storage, prefix, clock, logger } = this.#dependencies;
    const { signal } = this.abort;
    let isLoaded = false;
    while (!signal.aborted) {
      try {
        if (!isLoaded) await this.#load();
        isLoaded = true;
        const afterRevision = this.gate.revision ?? 0;
        // The former content is here already.
        const following = { start: prefix, end: prefixEnd(prefix), afterRevision, wantsPrevious: false, acceptsSealed: true, signal };
        for await (const batch of storage.watch(following)) this.#apply(batch);
      } catch (error) {
        if (signal.aborted) break;
        const isCompacted = error instanceof StorageError && error.reason === 'compacted';
        if (isCompacted) isLoaded = false;
        logger.error(
          isCompacted
            ? 'The watch cache fell behind the compaction of the store and is loaded anew'
            : 'The watch cache cannot follow the store; trying again',
          {
            error,
            revision: this.gate.revision,
          },
        );
        if (!isCompacted) await sleep(clock, retryDelayMs, signal).catch(() => undefined);
      }
    }
    await this.#sealed.ended();
    for (const cache of this.#caches.values()) cache.close();
    this.#failReady(new StorageError('closed', 'the cache was closed before it had been loaded'));
  }

  async #load(): Promise<void> {
    const { storage, prefix } = this.#dependencies;
    const pages: (readonly StoredEntry[])[] = [];
    const { revision } = await readPages(storage, { prefix, acceptsSealed: true }, (entries) => pages.push(entries));
    this.#unclaimed.clear();
    this.#sealed.clear();
    for (const cache of this.#caches.values()) cache.reset(revision);
    const sealed = new Set<ResourceCache>();
    for (const entries of pages) {
      for (const entry of entries) {
        const cache = this.#cacheOf(entry.key);
        if (!cache) this.#unclaimed.set(entry.key, entry);
        else if (entry.isSealed) sealed.add(cache);
        else cache.load(entry);
      }
    }
    this.gate.advance(revision);
    for (const cache of sealed) this.#sealed.add(cache);
    this.#becomeReady();
  }

  #apply({ events, revision }: WatchBatch): void {
    const touched = new Set<ResourceCache>();
    for (const event of events) {
      const cache = this.#cacheOf(event.key);
      if (!cache) this.#applyUnclaimed(event);
      else if (!this.#sealed.takes(cache, event)) {
        cache.apply(event);
        touched.add(cache);
      }
    }
    this.gate.advance(revision);
    for (const cache of touched) cache.publish();
    this.#trimAll();
  }

  #trimAll(): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    if (nowMs - this.#trimmedMs < trimEveryMs) return;
    this.#trimmedMs = nowMs;
    for (const cache of this.#caches.values()) cache.trim();
  }

  #applyUnclaimed({ key, entry }: StorageEvent): void {
    if (entry) this.#unclaimed.set(key, entry);
    else this.#unclaimed.delete(key);
  }

  /** A resource's prefix has one segment (pods) or two (services/specs, apps.example.com/widgets). */
  #cacheOf(key: string): ResourceCache | undefined {
    const first = key.indexOf('/', this.#dependencies.prefix.length) + 1;
    if (first === 0) return undefined;
    const second = key.indexOf('/', first) + 1;
    return (second > 0 ? this.#caches.get(key.slice(0, second)) : undefined) ?? this.#caches.get(key.slice(0, first));
  }
}
