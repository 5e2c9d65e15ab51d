import sortedBTree from 'sorted-btree';
import type { Clock } from '../../../api/base/clock.ts';
import { compareKeys } from '../mvcc/version-index.ts';
import type { Storage, StorageEvent, StoredEntry } from '../storage.ts';
import { prefixEnd, StorageError } from '../storage.ts';
import { CacheWatch, type Published } from './cache-watch.ts';
import { FanOutPace } from './fan-out-pace.ts';
import { EventLog, type EventLogLimits } from './event-log.ts';
import { SharedEvents } from './shared-events.ts';
import type { ResourceReference } from './stored-object.ts';
import { StoredObject } from './stored-object.ts';
import type { CachedObject, CacheEvent, CacheEvents, CacheWatchOptions, Listing, ListQuery, WatchCache } from './watch-cache.ts';
import { eventOf, eventsAtOnce, isWithin, type WatchGroup } from './watch-group.ts';
import { WatchIndex } from './watch-index.ts';

const BTree = sortedBTree.default;
type ObjectTree = InstanceType<typeof BTree<string, StoredObject>>;

/** The most past states that are kept for the next pages of running lists; they share the parts that did not change. */
const maxSnapshots = 4;

/** The number of watches that are served without a pause: some milliseconds, as each writes to its connection. */
const watchesAtOnce = 200;

/** The source of a resource's cache. */
interface ResourceCacheContext {
  readonly clock: Clock;
  readonly storage: Storage;
  /** Revision up to which all events have been applied; undefined before the first load. */
  revision(): number | undefined;
  /** Exact states before that revision are not to be had any more, whatever the log still holds. */
  compacted(): number;
  reach: WatchCache['reach'];
  readonly logLimits: EventLogLimits;
}

/** The objects of one resource in order of their keys, and their recent changes. Fed by a CacheSource. */
export class ResourceCache implements WatchCache {
  readonly reference: ResourceReference;
  readonly resourcePrefix: string;
  readonly clock: Clock;
  /** All open watches. */
  readonly watches = new WatchIndex();
  readonly reach: WatchCache['reach'];
  readonly #context: ResourceCacheContext;
  #objects: ObjectTree = new BTree(undefined, compareKeys);
  #log: EventLog;
  #published: Published = { end: 0, revision: 0 };
  readonly #pace: FanOutPace;
  #isClosed = false;
  #isSealed = false;
  #bytes = 0;
  readonly #snapshots = new Map<number, ObjectTree>();

  constructor(context: ResourceCacheContext, reference: ResourceReference) {
    this.#context = context;
    this.reference = reference;
    this.resourcePrefix = reference.current.resourcePrefix;
    this.clock = context.clock;
    this.reach = context.reach;
    this.#log = new EventLog(context.revision() ?? 0, context.logLimits);
    this.#pace = new FanOutPace(context.clock, () => this.#distribute());
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  revision(): number {
    if (this.#isClosed) throw new StorageError('closed', 'the cache has been closed');
    const revision = this.#context.revision();
    if (revision === undefined) throw new StorageError('unavailable', 'the cache has not been loaded yet');
    return revision;
  }

  #readableRevision(): number {
    if (this.#isSealed) throw new StorageError('unavailable', 'the keys of encrypted values are not available at present');
    return this.revision();
  }

  log(): EventLog {
    return this.#log;
  }

  watchers(): number {
    let count = 0;
    for (const group of this.watches.groups()) count += group.watches.size;
    return count;
  }

  count(): number {
    return this.#objects.size;
  }

  bytes(): number {
    return this.#bytes;
  }

  get(relativeKey: string): CachedObject | undefined {
    this.#readableRevision();
    return this.#objects.get(relativeKey);
  }

  list({ keyPrefix, revision, after }: ListQuery): Listing {
    const newest = this.#readableRevision();
    if (revision !== undefined && revision > newest)
      throw new StorageError('future-revision', `required revision ${revision} is a future revision`, { revision: newest });
    const compacted = this.#context.compacted();
    if (revision !== undefined && revision < compacted)
      throw new StorageError('compacted', `revision ${revision} has been compacted`, { revision: compacted });
    const objects = revision === undefined ? this.#objects : this.#snapshot(revision);
    const start = after === undefined || after < keyPrefix ? keyPrefix : `${after}\0`;
    const end = keyPrefix === '' ? '\uffff' : prefixEnd(keyPrefix);
    const count = start === '' ? objects.size : objects.forRange(start, end, false);
    if (count === 0) return { revision: revision ?? newest, objects: [], count };
    // a lazy reader must not see later changes: the clone shares its nodes until they change
    const stable = objects === this.#objects ? objects.clone() : objects;
    return { revision: revision ?? newest, objects: { [Symbol.iterator]: () => between(stable, start, end) }, count };
  }

  watch(options: CacheWatchOptions): AsyncIterable<CacheEvents> {
    return {
      [Symbol.asyncIterator]: () => {
        this.#readableRevision();
        return options.afterRevision >= this.#log.floor ? new CacheWatch(this, options) : this.#replay(options);
      },
    };
  }

  /** Replaces all objects. The changes in between are unknown, so watches end and older revisions are no longer available. */
  reset(revision: number): void {
    this.#isSealed = false;
    this.#objects = new BTree(undefined, compareKeys);
    this.#bytes = 0;
    this.#log = new EventLog(revision, this.#context.logLimits);
    this.#published = { end: 0, revision };
    this.#pace.cancel();
    this.#snapshots.clear();
    this.#wakeAll();
  }

  /** Ends all watches, and all reading until the next reset: values have come that cannot be decrypted at present. */
  seal(revision: number): void {
    this.reset(revision);
    this.#isSealed = true;
  }

  /** Ends all watches, and all reading: a cache that no longer follows must not be taken for the truth. */
  close(): void {
    this.#isClosed = true;
    this.#pace.cancel();
    this.#wakeAll();
  }

  /** Part of a load: no event. */
  load(entry: StoredEntry): void {
    this.#bytes += entry.value.length;
    this.#objects.set(this.#relative(entry.key), new StoredObject(this.reference, entry.key, entry.modRevision, entry.value));
  }

  apply(event: StorageEvent): void {
    const relativeKey = this.#relative(event.key);
    const previous = this.#objects.get(relativeKey);
    const heldBytes = previous?.size ?? 0;
    const atMs = this.clock.monotonicMs();
    this.#bytes += (event.entry?.value.length ?? 0) - (previous?.storedBytes ?? 0);
    if (event.entry) {
      const object = new StoredObject(this.reference, event.key, event.revision, event.entry.value);
      this.#objects.set(relativeKey, object);
      this.#log.append({ object, deleted: false, previous, heldBytes, atMs });
    } else if (previous) {
      this.#objects.delete(relativeKey);
      this.#log.append({ object: previous.deletedAt(event.revision), deleted: true, previous, heldBytes, atMs });
    }
  }

  published(): Published {
    // A resource without unpublished changes is at the revision of the whole store.
    return this.#published.end === this.#log.end ? { end: this.#log.end, revision: this.revision() } : this.#published;
  }

  /** Makes applied changes visible to watches, when a whole batch was applied. */
  publish(): void {
    if (this.#isSealed) return;
    this.#pace.request();
    this.trim();
  }

  /** Drops entries of the log that are too old. */
  trim(): void {
    this.#log.trim(this.#published.end, this.clock.monotonicMs());
    for (const revision of this.#snapshots.keys()) if (revision < this.#log.floor) this.#snapshots.delete(revision);
  }

  /**
   * Passes each change to the watches that it can concern; watches that see the same share it. Yields from time to time, so that other work
   * gets its turn, and returns how many watches were served.
   */
  *#distribute(): Generator<void, number> {
    const first = this.#published.end;
    this.#published = { end: this.#log.end, revision: this.revision() };
    if (this.watches.isEmpty()) return 0;
    const { seen, unreadable } = this.#whatGroupsSee(first);
    // All groups are marked first, so that a watch that wakes in between misses nothing.
    for (const group of seen.keys()) for (const watch of group.watches) watch.announce(first);
    let told = 0;
    for (const [group, events] of seen) {
      // These groups read from the log themselves: they get events that are too many at once, or an unreadable object after the events
      // before it.
      const batch = unreadable.has(group) || events.length > eventsAtOnce ? undefined : new SharedEvents(events);
      for (const watch of group.watches) {
        if (batch) watch.deliver(batch);
        else watch.wake();
        if (++told % watchesAtOnce === 0) yield;
      }
    }
    return told;
  }

  #whatGroupsSee(first: number): { seen: Map<WatchGroup, CacheEvent[]>; unreadable: Set<WatchGroup> } {
    const seen = new Map<WatchGroup, CacheEvent[]>();
    const unreadable = new Set<WatchGroup>();
    for (let number = first; number < this.#log.end; number++) {
      const change = this.#log.at(number);
      if (!change) continue;
      for (const group of this.watches.candidates(this.#relative(change.object.key), change)) {
        try {
          const event = eventOf(change, group.scope);
          if (event) listOf(seen, group).push(event);
        } catch {
          listOf(seen, group);
          unreadable.add(group);
        }
      }
    }
    return { seen, unreadable };
  }

  #wakeAll(): void {
    for (const group of this.watches.groups()) for (const watch of group.watches) watch.wake();
  }

  wrap(entry: StoredEntry): CachedObject {
    return new StoredObject(this.reference, entry.key, entry.modRevision, entry.value);
  }

  objects(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  #relative(key: string): string {
    return key.slice(this.resourcePrefix.length);
  }

  /** The state at a revision that the log reaches back to: the present state with later changes undone. */
  #snapshot(revision: number): ObjectTree {
    const log = this.#log;
    if (revision < log.floor)
      throw new StorageError('compacted', `the cache no longer holds revision ${revision}`, { revision: log.floor });
    const from = log.numberAfter(revision);
    if (from === log.end) return this.#objects.clone();
    const known = this.#snapshots.get(revision);
    if (known) return known;
    const objects = this.#objects.clone();
    for (let number = log.end - 1; number >= from; number--) {
      const change = log.at(number);
      if (!change) continue;
      const relativeKey = this.#relative(change.object.key);
      if (change.previous instanceof StoredObject) objects.set(relativeKey, change.previous);
      else objects.delete(relativeKey);
    }
    this.#snapshots.set(revision, objects);
    for (const oldest of this.#snapshots.keys()) {
      if (this.#snapshots.size <= maxSnapshots) break;
      this.#snapshots.delete(oldest);
    }
    return objects;
  }

  /** Reads events that the log no longer holds from the store's history, then continues with the log. */
  async *#replay(options: CacheWatchOptions): AsyncGenerator<CacheEvents, undefined> {
    const keyStart = this.resourcePrefix + options.scope.keyPrefix;
    let reached = options.afterRevision;
    const history = this.#context.storage.watch({
      start: keyStart,
      end: prefixEnd(keyStart),
      afterRevision: reached,
      signal: options.signal,
    });
    for await (const batch of history) {
      const events = batch.events.flatMap((event) => this.#historicEvent(event, options) ?? []);
      if (events.length > 0) yield new SharedEvents(events);
      reached = batch.revision;
      if (reached >= this.#log.floor) break;
    }
    if (options.signal.aborted) return undefined;
    yield* { [Symbol.asyncIterator]: () => new CacheWatch(this, { ...options, afterRevision: reached }) };
    return undefined;
  }

  #historicEvent(event: StorageEvent, { scope }: CacheWatchOptions): CacheEvent | undefined {
    const { previous, entry } = event;
    if (!isWithin(scope.keyPrefix, event.key, this.resourcePrefix)) return undefined;
    const isCreation = entry !== undefined && entry.createRevision === entry.modRevision;
    if (!previous && !isCreation)
      throw new StorageError('compacted', `the state of ${event.key} before revision ${event.revision} has been compacted`, {
        revision: event.revision,
      });
    const before = previous && new StoredObject(this.reference, event.key, previous.modRevision, previous.value);
    const object = entry ? new StoredObject(this.reference, event.key, event.revision, entry.value) : before?.deletedAt(event.revision);
    return object && eventOf({ object, deleted: !entry, previous: before, heldBytes: 0, atMs: 0 }, scope);
  }
}

function listOf(lists: Map<WatchGroup, CacheEvent[]>, group: WatchGroup): CacheEvent[] {
  const known = lists.get(group);
  if (known) return known;
  const list: CacheEvent[] = [];
  lists.set(group, list);
  return list;
}

function* between(objects: ObjectTree, start: string, end: string): Generator<StoredObject> {
  for (const [key, object] of objects.entries(start, [])) {
    if (key >= end) return;
    yield object;
  }
}
