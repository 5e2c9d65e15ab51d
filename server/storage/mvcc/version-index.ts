import sortedBTree from 'sorted-btree';
import type { Version } from './version.ts';

const BTree = sortedBTree.default;

/**
 * Order of keys. Code units order as UTF-8 bytes do, but for characters above U+FFFF, which no key of upstream's layout
 * holds.
 */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Every version of every key since the last compaction, by key and by revision. Values are not its business. Versions
 * may be added ahead of their being durable and taken back with `undoAfter`.
 */
export class VersionIndex {
  #newest = new BTree<string, Version>(undefined, compareKeys);
  /** In order of revision. Compaction moves #logStart and cuts the array only from time to time. */
  #log: Version[] = [];
  #logStart = 0;
  #compactRevision = 0;

  /** The oldest revision that can be read; 0 while nothing was compacted. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Number of versions above the compact revision. */
  get logLength(): number {
    return this.#log.length - this.#logStart;
  }

  /** The newest version, a deletion included. */
  newest(key: string): Version | undefined {
    return this.#newest.get(key);
  }

  at(key: string, revision: number): Version | undefined {
    return liveAt(this.#newest.get(key), revision);
  }

  /** Visits the entries that exist at `revision` within `[start, end)`, in order, until `visit` returns false. */
  walk(start: string, end: string, revision: number, visit: (version: Version) => boolean): void {
    for (const [key, newest] of this.#newest.entries(start, [])) {
      if (key === undefined || newest === undefined || key >= end) return;
      const version = liveAt(newest, revision);
      if (version && !visit(version)) return;
    }
  }

  add(version: Version): void {
    version.older = this.#newest.get(version.key);
    this.#newest.set(version.key, version);
    this.#log.push(version);
  }

  /** Takes back every version above `revision`. */
  undoAfter(revision: number): void {
    for (let last = this.#log.at(-1); last && last.revision > revision; last = this.#log.at(-1)) {
      this.#log.pop();
      if (last.older) this.#newest.set(last.key, last.older);
      else this.#newest.delete(last.key);
    }
  }

  /** Yields the versions of the log above `revision`, oldest first. */
  *after(revision: number): Generator<Version> {
    let low = this.#logStart;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#log[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    for (let at = low; at < this.#log.length; at++) {
      const version = this.#log[at];
      if (version) yield version;
    }
  }

  /** Drops the versions that were replaced at or before `revision`, and returns them. */
  compact(revision: number): Version[] {
    const dropped: Version[] = [];
    this.#compactRevision = Math.max(this.#compactRevision, revision);
    for (let version = this.#log[this.#logStart]; version && version.revision <= revision; version = this.#log[this.#logStart]) {
      this.#logStart++;
      if (version.older && !version.older.deleted) dropped.push(version.older);
      version.older = undefined;
      if (!version.deleted) continue;
      dropped.push(version);
      if (this.#newest.get(version.key) === version) this.#newest.delete(version.key);
    }
    if (this.#logStart > 1024 && this.#logStart * 2 > this.#log.length) {
      this.#log = this.#log.slice(this.#logStart);
      this.#logStart = 0;
    }
    return dropped;
  }

  /** Rebuilds the index from versions in order of revision; returns the versions that an interrupted compaction should have dropped. */
  recover(versions: Iterable<Version>, compactRevision: number): Version[] {
    const leftover: Version[] = [];
    this.#compactRevision = compactRevision;
    for (const version of versions) {
      if (version.revision > compactRevision) {
        this.add(version);
        continue;
      }
      const older = this.#newest.get(version.key);
      if (older) leftover.push(older);
      if (version.deleted) {
        leftover.push(version);
        this.#newest.delete(version.key);
      } else this.#newest.set(version.key, version);
    }
    return leftover;
  }
}

function liveAt(newest: Version | undefined, revision: number): Version | undefined {
  let version = newest;
  while (version && version.revision > revision) version = version.older;
  return version?.deleted ? undefined : version;
}
