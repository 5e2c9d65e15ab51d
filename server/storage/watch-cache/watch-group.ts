import type { EventLog, LoggedChange } from './event-log.ts';
import { SharedEvents } from './shared-events.ts';
import type { CacheEvent, WatchScope } from './watch-cache.ts';

/** The most events that a watch takes at once, and the most bytes of them. They bound the memory that a slow watch holds. */
export const eventsAtOnce = 100;
const bytesAtOnce = 256 * 1024;

/** A watch's position in the log. */
interface Reading {
  /** Absent if none of the events that were read are for this watch. */
  readonly batch: SharedEvents | undefined;
  /** Number of the entry from which to go on. */
  readonly next: number;
  /** The revision up to which everything was read; absent where nothing was. */
  readonly revision: number | undefined;
}

interface RememberedReading {
  readonly log: EventLog;
  readonly from: number;
  readonly end: number;
  readonly reading: WeakRef<Reading>;
}

/** A watch as its group and the cache see it. */
export interface Watcher {
  /** Called before changes are delivered; `first` is the place in the log of the first of them. */
  announce(first: number): void;
  deliver(batch: SharedEvents): void;
  /** Wakes a waiting watch: its cache was closed or loaded anew. */
  wake(): void;
}

/** Watches with the same scope, for which the effect of a change is computed once. */
export class WatchGroup {
  readonly scope: WatchScope;
  readonly watches = new Set<Watcher>();
  #remembered: RememberedReading | undefined;

  constructor(scope: WatchScope) {
    this.scope = scope;
  }

  /**
   * The events in the log from entry `from` up to `end`, in a bounded number of events that ends with a whole revision. Watches
   * that are equally far behind read it once. Throws StorageError 'corrupt'.
   */
  read(log: EventLog, from: number, end: number, resourcePrefix: string): Reading {
    const known = this.#remembered;
    if (known && known.log === log && known.from === from && known.end === end) {
      const reading = known.reading.deref();
      if (reading) return reading;
    }
    const reading = this.#read(log, from, end, resourcePrefix);
    this.#remembered = { log, from, end, reading: new WeakRef(reading) };
    return reading;
  }

  #read(log: EventLog, from: number, end: number, resourcePrefix: string): Reading {
    const events: CacheEvent[] = [];
    let next = from;
    let revision: number | undefined;
    let bytes = 0;
    for (let change = log.at(next); change && next < end; change = log.at(next)) {
      if ((events.length >= eventsAtOnce || bytes >= bytesAtOnce) && change.object.revision !== revision) break;
      try {
        const event = isWithin(this.scope.keyPrefix, change.object.key, resourcePrefix) ? eventOf(change, this.scope) : undefined;
        if (event) {
          events.push(event);
          bytes += change.object.size;
        }
      } catch (error) {
        if (events.length === 0) throw error;
        break; // what came before it is given first
      }
      revision = change.object.revision;
      next++;
    }
    return { batch: events.length > 0 ? new SharedEvents(events) : undefined, next, revision };
  }
}

/** The event that watches of this scope see of a change of an object that its prefix covers; undefined if none. */
export function eventOf({ object, previous, deleted }: LoggedChange, { matches }: WatchScope): CacheEvent | undefined {
  const isIn = !deleted && matches(object);
  const wasIn = previous !== undefined && matches(previous);
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object };
  return wasIn ? { type: 'DELETED', object } : undefined;
}

/** A prefix that ends with a slash covers all keys below it, '' covers everything, any other prefix is one whole key. */
export function isWithin(keyPrefix: string, key: string, resourcePrefix: string): boolean {
  if (!key.startsWith(keyPrefix, resourcePrefix.length)) return false;
  return keyPrefix === '' || keyPrefix.endsWith('/') || key.length === resourcePrefix.length + keyPrefix.length;
}
