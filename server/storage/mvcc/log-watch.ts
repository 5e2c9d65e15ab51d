import type { StorageEvent, StoredEntry, WatchBatch, WatchOptions } from '../storage.ts';
import { StorageError } from '../storage.ts';
import type { Version } from './version.ts';
import type { VersionIndex } from './version-index.ts';

/** Batches end at the first whole revision above this number of events. */
const batchEvents = 500;

/** A watch's view of its store. */
interface WatchedLog {
  readonly index: VersionIndex;
  /** Newest revision that may be shown. */
  revision(): number;
  entryOf(version: Version): StoredEntry;
  closed(): boolean;
  /** Watches that wait for the revision to advance. They are woken one after the other, in order. */
  readonly waiting: Set<() => void>;
}

/**
 * A position in the log that moves as it is read: nothing is buffered, the log itself is the buffer. A watch that
 * compaction overtakes fails with 'compacted'.
 */
export function watchLog(log: WatchedLog, options: WatchOptions): AsyncIterable<WatchBatch> {
  return { [Symbol.asyncIterator]: () => new LogWatch(log, options) };
}

class LogWatch implements AsyncIterator<WatchBatch, undefined> {
  readonly #log: WatchedLog;
  readonly #options: WatchOptions;
  #cursor: number;
  #done = false;

  constructor(log: WatchedLog, options: WatchOptions) {
    this.#log = log;
    this.#options = options;
    this.#cursor = options.afterRevision;
  }

  next(): Promise<IteratorResult<WatchBatch, undefined>> {
    try {
      const ready = this.#step();
      if (ready) return Promise.resolve(ready);
    } catch (error) {
      this.#done = true;
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const { signal } = this.#options;
      const wake = () => {
        try {
          const ready = this.#step();
          if (!ready) return;
          resolve(ready);
        } catch (error) {
          this.#done = true;
          reject(error);
        }
        this.#log.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
      };
      this.#log.waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  return(): Promise<IteratorResult<WatchBatch, undefined>> {
    this.#done = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The next batch, the end, or undefined if there is nothing new. */
  #step(): IteratorResult<WatchBatch, undefined> | undefined {
    if (this.#done || this.#options.signal.aborted) {
      this.#done = true;
      return { done: true, value: undefined };
    }
    if (this.#log.closed()) throw new StorageError('closed', 'the storage has been closed');
    const { compactRevision } = this.#log.index;
    if (this.#cursor < compactRevision)
      throw new StorageError('compacted', `required revision ${this.#cursor + 1} has been compacted`, { revision: compactRevision });
    const revision = this.#log.revision();
    if (this.#cursor >= revision) return undefined;
    return { done: false, value: this.#collect(revision) };
  }

  #collect(upTo: number): WatchBatch {
    const { start, end } = this.#options;
    const events: StorageEvent[] = [];
    let revision = this.#cursor;
    for (const version of this.#log.index.after(this.#cursor)) {
      if (version.revision > upTo) break;
      if (events.length >= batchEvents && version.revision !== revision) {
        this.#cursor = revision;
        return { events, revision };
      }
      revision = version.revision;
      if (version.key >= start && version.key < end) events.push(new LogEvent(this.#log, version));
    }
    this.#cursor = upTo;
    return { events, revision: upTo };
  }
}

class LogEvent implements StorageEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  readonly entry: StoredEntry | undefined;
  readonly #log: WatchedLog;
  readonly #older: Version | undefined;
  #previous: StoredEntry | undefined;

  constructor(log: WatchedLog, version: Version) {
    this.type = version.deleted ? 'delete' : 'put';
    this.key = version.key;
    this.revision = version.revision;
    this.entry = version.deleted ? undefined : log.entryOf(version);
    this.#log = log;
    this.#older = version.older?.deleted ? undefined : version.older;
  }

  get previous(): StoredEntry | undefined {
    if (this.#previous || !this.#older) return this.#previous;
    const { compactRevision } = this.#log.index;
    if (this.revision <= compactRevision)
      throw new StorageError('compacted', `required revision ${this.revision - 1} has been compacted`, { revision: compactRevision });
    this.#previous = this.#log.entryOf(this.#older);
    return this.#previous;
  }
}
