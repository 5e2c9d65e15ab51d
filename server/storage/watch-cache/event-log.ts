import type { CachedObject } from './watch-cache.ts';

/** A change of one object; watches turn it into the event that their selector sees. */
export interface LoggedChange {
  /** The new state; for a deletion the last state, with the revision of the delete. */
  readonly object: CachedObject;
  readonly deleted: boolean;
  /** The state before; absent for a creation. */
  readonly previous: CachedObject | undefined;
  /** Bytes that live only because of this entry: those of the superseded state. */
  readonly heldBytes: number;
  /** When it was logged, on the monotonic clock. */
  readonly atMs: number;
}

export interface EventLogLimits {
  readonly entries: number;
  /** The size of superseded states; those that are still current cost nothing. */
  readonly heldBytes: number;
  /** Older entries are dropped, but for a few: who resumes does so within this time. */
  readonly ageMs: number;
}

/** Kept however old they are. */
const fewEntries = 100;

/**
 * The recent changes of a resource, numbered one by one. It is the buffer of every watch at once: a watch is a position
 * in it, and one whose position has been dropped has fallen too far behind.
 */
export class EventLog {
  readonly #limits: EventLogLimits;
  /** Drops are made by moving #start; the array is cut when half of it is dropped. */
  #entries: (LoggedChange | undefined)[] = [];
  #start = 0;
  /** Number of the entry at index 0 of the array. */
  #base = 0;
  #heldBytes = 0;
  #floor: number;

  /** Holds every change above `floor`, and none yet. */
  constructor(floor: number, limits: EventLogLimits) {
    this.#floor = floor;
    this.#limits = limits;
  }

  /** Every change above this revision is here. */
  get floor(): number {
    return this.#floor;
  }

  /** Number of the oldest entry held. */
  get first(): number {
    return this.#base + this.#start;
  }

  /** Number that the next entry will get. */
  get end(): number {
    return this.#base + this.#entries.length;
  }

  at(number: number): LoggedChange | undefined {
    return this.#entries[number - this.#base];
  }

  append(change: LoggedChange): void {
    this.#entries.push(change);
    this.#heldBytes += change.heldBytes;
  }

  /** Drops entries that are too old or too many, but none from entry `end` on, which watches have not been given yet. */
  trim(end: number, nowMs: number): void {
    while (this.first < end && this.#isTooMuch(nowMs)) {
      const oldest = this.#entries[this.#start];
      if (!oldest) break;
      this.#entries[this.#start++] = undefined;
      this.#heldBytes -= oldest.heldBytes;
      this.#floor = oldest.object.revision;
    }
    if (this.#start > 256 && this.#start * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#base += this.#start;
      this.#start = 0;
    }
  }

  #isTooMuch(nowMs: number): boolean {
    const { entries, heldBytes, ageMs } = this.#limits;
    const count = this.#entries.length - this.#start;
    if (count > entries || this.#heldBytes > heldBytes) return true;
    const oldest = this.#entries[this.#start];
    return count > fewEntries && oldest !== undefined && nowMs - oldest.atMs > ageMs;
  }

  /** Number of the first entry above `revision`. */
  numberAfter(revision: number): number {
    let low = this.#start;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.object.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#base + low;
  }
}
