import type { Database, RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import type { RecordStore, Version } from '../mvcc/version.ts';
import { VersionIndex } from '../mvcc/version-index.ts';
import { StorageError } from '../storage.ts';
import type { DiskSpace } from './disk-space.ts';
import { interpretLMDBError } from './interpret-lmdb-error.ts';
import { decodeHeader, encodeHeader, recordNumber } from './version-header.ts';

const formatVersion = 1;
/** Twice LMDB's default: values of up to half a page share pages, and most objects are smaller than that. */
const pageSize = 8192;
/** Values from this size on have pages of their own, and compressing them is worth the time. */
const compressedFromBytes = 4000;
/** Values just written are kept in memory up to this many bytes: watches are about to ask for them. */
const recentBytes = 4 * 1024 * 1024;
/** The number of versions dropped in one LMDB transaction; commits get their turn in between. */
const compactionChunk = 500;

/**
 * Versions in LMDB: a log of small headers and a log of values, both keyed by record number, so that writes go to the
 * end and the headers can be scanned fast when the store is opened. There is no index on disk; it is rebuilt from the
 * headers. LMDB writes on a thread of its own, with one fdatasync for each group.
 */
export class LMDBRecords implements RecordStore {
  readonly #space: DiskSpace;
  readonly #root: RootDatabase<Buffer, string>;
  readonly #meta: Database<string, string>;
  readonly #headers: Database<Uint8Array, number>;
  readonly #values: Database<Uint8Array, number>;
  readonly #recent: Version[] = [];
  #recentStart = 0;
  #recentBytes = 0;
  /** Compacted, but still on disk. */
  #undropped: Version[] = [];
  #compacting: Promise<void> = Promise.resolve();
  readonly #writing = new Set<Promise<unknown>>();
  #isClosed = false;

  /** `mapBytes` bounds the size of the file; the address space is reserved, the disk is not. */
  constructor(path: string, mapBytes: number, space: DiskSpace) {
    this.#space = space;
    this.#root = open({
      path,
      noSubdir: true,
      encoding: 'binary',
      maxDbs: 4,
      mapSize: mapBytes,
      pageSize, // of a new file only
      eventTurnBatching: false, // every write is a batch() of its own; with it lmdb leaves a promise of a failed write unhandled
      overlappingSync: false, // a commit is acknowledged by the disk
      noMemInit: true,
    });
    this.#meta = this.#root.openDB({ name: 'meta', encoding: 'string' });
    this.#headers = this.#root.openDB({ name: 'headers', encoding: 'binary' });
    this.#values = this.#root.openDB({ name: 'values', encoding: 'binary', compression: { threshold: compressedFromBytes } });
  }

  /** Reads all versions and removes those that an interrupted compaction has left. */
  async recover(): Promise<{ index: VersionIndex; revision: number }> {
    const format = this.#meta.get('format');
    if (format === undefined) await this.#write(() => this.#meta.put('format', String(formatVersion)));
    else if (format !== String(formatVersion))
      throw new StorageError('corrupt', `the store has format ${format}; this version reads format ${formatVersion}`);
    const compactRevision = Number(this.#meta.get('compactRevision') ?? 0);
    const index = new VersionIndex();
    let revision = Math.max(1, compactRevision);
    const leftover = index.recover(
      this.#headers.getRange().map(({ key, value }) => {
        const version = decodeHeader(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        revision = Math.max(revision, version.revision);
        return version;
      }),
      compactRevision,
    );
    this.#undropped = leftover;
    await this.#drop();
    return { index, revision };
  }

  async append(versions: readonly Version[]): Promise<void> {
    let bytes = 0;
    for (const { key, value } of versions) bytes += key.length + (value?.length ?? 0) + pageSize;
    await this.#space.claim(bytes);
    await this.#write(() => {
      for (const version of versions) {
        const number = recordNumber(version);
        this.#headers.put(number, encodeHeader(version));
        if (version.value) this.#values.put(number, version.value);
      }
    });
    this.#keepRecent(versions);
  }

  read(version: Version): Uint8Array {
    this.#assertOpen();
    const value = this.#values.getBinary(recordNumber(version));
    if (!value) throw new StorageError('corrupt', `the value of ${version.key} at revision ${version.revision} is missing`);
    return value;
  }

  async compact(revision: number, dropped: readonly Version[]): Promise<void> {
    await this.#write(() => this.#meta.put('compactRevision', String(revision)));
    this.#undropped = [...this.#undropped, ...dropped];
    const dropping = this.#compacting.then(() => this.#drop());
    this.#compacting = dropping.catch(() => undefined);
    await dropping;
  }

  async probe(): Promise<void> {
    await this.#space.claim(pageSize);
    await this.#write(() => this.#meta.put('probe', ''));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#compacting;
    await Promise.allSettled(this.#writing);
    await this.#root.close();
  }

  /** LMDB itself ends the process when it is used after that. */
  #assertOpen(): void {
    if (this.#isClosed) throw new StorageError('closed', 'the storage has been closed');
  }

  /** Drops versions; those that cannot be dropped are dropped with the next compaction, or when the store is opened next. */
  async #drop(): Promise<void> {
    while (this.#undropped.length > 0 && !this.#isClosed) {
      const versions = this.#undropped.slice(0, compactionChunk);
      await this.#write(() => {
        for (const version of versions) {
          this.#headers.remove(recordNumber(version));
          if (!version.deleted) this.#values.remove(recordNumber(version));
        }
      });
      this.#undropped = this.#undropped.slice(versions.length);
    }
  }

  /** Runs `puts` in one transaction: all of its writes are made, or none. */
  async #write(puts: () => void): Promise<void> {
    this.#assertOpen();
    const write = this.#root.batch(puts);
    this.#writing.add(write);
    try {
      await write;
    } catch (error) {
      throw await interpretLMDBError(error);
    } finally {
      this.#writing.delete(write);
    }
  }

  #keepRecent(versions: readonly Version[]): void {
    for (const version of versions) {
      if (!version.value) continue;
      this.#recent.push(version);
      this.#recentBytes += version.value.length;
    }
    for (
      let oldest = this.#recent[this.#recentStart];
      oldest && this.#recentBytes > recentBytes;
      oldest = this.#recent[this.#recentStart]
    ) {
      this.#recentStart++;
      this.#recentBytes -= oldest.value?.length ?? 0;
      oldest.value = undefined;
    }
    if (this.#recentStart <= 1024 || this.#recentStart * 2 <= this.#recent.length) return;
    this.#recent.splice(0, this.#recentStart);
    this.#recentStart = 0;
  }
}
