import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { EventLog, LoggedChange } from './event-log.ts';
import type { CachedObject, CacheEvent, CacheWatchOptions } from './watch-cache.ts';

const bookmarkIntervalMs = 60_000;

/** What a watch sees of its cache. */
export interface WatchedCache {
  readonly clock: Clock;
  /** Replaced when the cache had to be loaded anew; watches of the old one end. */
  log(): EventLog;
  isClosed(): boolean;
  /** All up to here is in the log. */
  revision(): number;
  readonly resourcePrefix: string;
  /** All open watches. */
  readonly watches: Set<CacheWatch>;
}

/** The event that a watch with these options sees of a change; undefined if none. */
export function eventOf(change: LoggedChange, keyStart: string, matches: (object: CachedObject) => boolean): CacheEvent | undefined {
  const { object, previous, deleted } = change;
  if (!object.key.startsWith(keyStart)) return undefined;
  const isIn = !deleted && matches(object);
  const wasIn = previous !== undefined && matches(previous);
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object };
  return wasIn ? { type: 'DELETED', object } : undefined;
}

/** A position in the log of a cache. Waits without cost until a change comes that it matches. */
export class CacheWatch implements AsyncIterator<CacheEvent, undefined> {
  readonly #cache: WatchedCache;
  readonly #options: CacheWatchOptions;
  readonly #keyStart: string;
  readonly #log: EventLog;
  #next: number;
  /** All events up to here have been given. */
  #revision: number;
  #waiting: PromiseWithResolvers<IteratorResult<CacheEvent, undefined>> | undefined;
  #timer: Timer | undefined;
  #isBookmarkDue = false;
  #done = false;
  readonly #onAbort = () => {
    this.#leave();
    this.wake();
  };

  constructor(cache: WatchedCache, options: CacheWatchOptions) {
    this.#cache = cache;
    this.#options = options;
    this.#keyStart = cache.resourcePrefix + options.keyPrefix;
    this.#log = cache.log();
    this.#next = this.#log.numberAfter(options.afterRevision);
    this.#revision = options.afterRevision;
    cache.watches.add(this);
    options.signal.addEventListener('abort', this.#onAbort);
    if (options.bookmarks) this.#setTimer();
  }

  async next(): Promise<IteratorResult<CacheEvent, undefined>> {
    const ready = this.#step();
    if (ready) return ready;
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async return(): Promise<IteratorResult<CacheEvent, undefined>> {
    const end = this.#end();
    this.wake();
    return end;
  }

  /** Called when the log has grown, or time has passed. */
  wake(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      const ready = this.#step();
      if (!ready) return;
      waiting.resolve(ready);
    } catch (error) {
      this.#end();
      waiting.reject(error);
    }
    this.#waiting = undefined;
  }

  #step(): IteratorResult<CacheEvent, undefined> | undefined {
    if (this.#done) return { done: true, value: undefined };
    if (this.#cache.isClosed() || this.#log !== this.#cache.log() || this.#next < this.#log.first) return this.#end();
    if (this.#options.signal.aborted) return this.#options.bookmarks ? this.#lastBookmark() : this.#end();
    const event = this.#advance();
    if (event) return { done: false, value: event };
    if (!this.#isBookmarkDue) return undefined;
    this.#setTimer();
    return { done: false, value: { type: 'BOOKMARK', revision: this.#revision } };
  }

  #advance(): CacheEvent | undefined {
    for (let change = this.#log.at(this.#next); change; change = this.#log.at(this.#next)) {
      this.#next++;
      if (change.object.revision <= this.#options.afterRevision) continue; // it was opened at a revision still to come
      const event = eventOf(change, this.#keyStart, this.#options.matches);
      if (event) {
        const following = this.#log.at(this.#next);
        // a revision may have several changes: it has been given when the last of them has
        if (following?.object.revision !== change.object.revision) this.#revision = change.object.revision;
        return event;
      }
    }
    this.#revision = Math.max(this.#revision, this.#cache.revision());
    return undefined;
  }

  #lastBookmark(): IteratorResult<CacheEvent, undefined> {
    this.#end();
    if (!this.#log.at(this.#next)) this.#revision = Math.max(this.#revision, this.#cache.revision());
    return { done: false, value: { type: 'BOOKMARK', revision: this.#revision } };
  }

  #end(): IteratorResult<CacheEvent, undefined> {
    this.#done = true;
    this.#leave();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    return { done: true, value: undefined };
  }

  #leave(): void {
    this.#timer?.cancel();
    this.#cache.watches.delete(this);
  }

  #setTimer(): void {
    this.#isBookmarkDue = false;
    this.#timer?.cancel();
    const due = () => {
      this.#isBookmarkDue = true;
      this.wake();
    };
    this.#timer = this.#cache.clock.setTimer(bookmarkIntervalMs, due, { background: true });
  }
}
