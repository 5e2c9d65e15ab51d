import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { EventLog } from './event-log.ts';
import { StorageError } from '../storage.ts';
import { SharedEvents } from './shared-events.ts';
import type { CacheEvents, CacheWatchOptions } from './watch-cache.ts';
import type { Watcher, WatchGroup } from './watch-group.ts';
import type { WatchIndex } from './watch-index.ts';

const bookmarkIntervalMs = 60_000;

type Result = IteratorResult<CacheEvents, undefined>;

/** The events that were announced to watches, or found by them. */
export interface Published {
  /** Number of the first log entry that is still to be held back. */
  readonly end: number;
  /** All up to here is before it. */
  readonly revision: number;
}

/** A watch's view of its cache. */
interface WatchedCache {
  readonly clock: Clock;
  /** Replaced when the cache is loaded anew; watches of the old log end. */
  log(): EventLog;
  isClosed(): boolean;
  /** Up to where watches may read. */
  published(): Published;
  readonly resourcePrefix: string;
  /** All open watches. */
  readonly watches: WatchIndex;
}

/**
 * A watch of a cache. While its reader waits, it has no position in the log: changes that concern it are handed to it, and others cost
 * nothing. While the reader is busy, the watch is a position in the log, from which the reader continues at its own pace.
 */
export class CacheWatch implements AsyncIterator<CacheEvents, undefined>, Watcher {
  readonly #cache: WatchedCache;
  readonly #options: CacheWatchOptions;
  readonly #group: WatchGroup;
  readonly #log: EventLog;
  /** The next log entry to read; means nothing while the reader waits. */
  #next: number;
  /** The first log entry that is about to be delivered to it, while its reader waits. */
  #due: number | undefined;
  /** All events up to here have been given, if the reader does not wait. */
  #revision: number;
  #waiting: PromiseWithResolvers<Result> | undefined;
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
    this.#log = cache.log();
    if (options.afterRevision < this.#log.floor)
      throw new StorageError('compacted', `the cache no longer holds revision ${options.afterRevision}`, { revision: this.#log.floor });
    this.#next = this.#log.numberAfter(options.afterRevision);
    this.#revision = options.afterRevision;
    this.#group = cache.watches.add(options.scope, this);
    options.signal.addEventListener('abort', this.#onAbort);
    if (options.bookmarks) this.#setTimer();
  }

  next(): Promise<Result> {
    try {
      const ready = this.#step();
      if (ready) return Promise.resolve(ready);
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async return(): Promise<Result> {
    const end = this.#end();
    this.wake();
    return end;
  }

  /** There is something for it, from log entry `first` on; a busy reader finds it there later. */
  announce(first: number): void {
    if (this.#waiting) this.#due ??= first;
  }

  /** Takes announced events, as its group sees them; none if the reader has found it already. */
  deliver(batch: SharedEvents): void {
    const waiting = this.#waiting;
    const first = this.#due;
    if (!waiting || first === undefined) return;
    const oldest = this.#log.at(first);
    // The watch was opened at a revision that was still to come, and not all of this is behind it.
    if (!oldest || oldest.object.revision <= this.#options.afterRevision) return this.wake();
    const { end, revision } = this.#cache.published();
    this.#due = undefined;
    this.#next = end;
    this.#revision = revision;
    this.#waiting = undefined;
    waiting.resolve({ done: false, value: batch });
  }

  /** Wakes a waiting reader: time has passed, the watch is to end, or the cache was replaced. */
  wake(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    if (!this.#cache.isClosed()) this.#next = this.#due ?? this.#cache.published().end;
    this.#due = undefined;
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

  #step(): Result | undefined {
    if (this.#done) return { done: true, value: undefined };
    if (this.#cache.isClosed() || this.#log !== this.#cache.log() || this.#next < this.#log.first) return this.#end();
    if (this.#options.signal.aborted) return this.#options.bookmarks ? this.#lastBookmark() : this.#end();
    const batch = this.#advance();
    if (batch) return { done: false, value: batch };
    if (!this.#isBookmarkDue) return undefined;
    this.#setTimer();
    return { done: false, value: this.#bookmark() };
  }

  #advance(): SharedEvents | undefined {
    const published = this.#cache.published();
    while (this.#next < published.end) {
      const { batch, next, revision } = this.#group.read(this.#log, this.#next, published.end, this.#cache.resourcePrefix);
      this.#next = next;
      this.#revision = Math.max(this.#revision, revision ?? 0);
      const due = batch && this.#notBefore(batch);
      if (due) return due;
    }
    this.#revision = Math.max(this.#revision, published.revision);
    return undefined;
  }

  /** A watch may be opened at a revision still to come. */
  #notBefore(batch: SharedEvents): SharedEvents | undefined {
    const { afterRevision } = this.#options;
    const isDue = (event: SharedEvents['events'][number]) => event.type === 'BOOKMARK' || event.object.revision > afterRevision;
    if (batch.events[0] === undefined || isDue(batch.events[0])) return batch;
    const due = batch.events.filter(isDue);
    return due.length > 0 ? new SharedEvents(due) : undefined;
  }

  #lastBookmark(): Result {
    this.#end();
    const published = this.#cache.published();
    if (this.#next >= published.end) this.#revision = Math.max(this.#revision, published.revision);
    return { done: false, value: this.#bookmark() };
  }

  #bookmark(): SharedEvents {
    return new SharedEvents([{ type: 'BOOKMARK', revision: this.#revision }]);
  }

  #end(): Result {
    this.#done = true;
    this.#leave();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    return { done: true, value: undefined };
  }

  #leave(): void {
    this.#timer?.cancel();
    this.#cache.watches.remove(this.#group, this);
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
