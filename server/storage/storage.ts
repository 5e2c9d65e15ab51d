/**
 * A multi-version key-value store like etcd: the whole store has one counter of revisions, every commit takes the next one, and reads may
 * ask for any revision that was not compacted. Keys are UTF-8 and ordered by bytes. Implementations: embedded (LMDB), etcd, memory; each
 * passes storage/testing.
 */
export interface Storage {
  /** The revision of the newest commit (linearizable). 1 in an empty store, as in etcd. */
  currentRevision(): Promise<number>;
  /** One key, now or as it was at `revision`. `value` is absent where there is no such key. */
  get(key: string, options?: { readonly revision?: number }): Promise<GetResult>;
  /** Keys with `start <= key < end`, in order. */
  range(options: RangeOptions): Promise<RangeResult>;
  /**
   * Applies `operations` atomically if every condition holds. Resolves only once the result is durable. A conflict is a result and not an
   * error: it contains the present state of every conditioned key. A StorageError tells whether it is certain that nothing was written.
   */
  commit(transaction: Transaction): Promise<CommitResult>;
  /**
   * Yields every change of a key in `[start, end)` with a revision above `afterRevision`, in order, without gap or repetition. A batch
   * holds all events of one or more whole revisions. Ends when `signal` is aborted; throws StorageError 'compacted' if `afterRevision + 1`
   * was compacted. Reconnects by itself.
   */
  watch(options: WatchOptions): AsyncIterable<WatchBatch>;
  /** Drops entries that were replaced at or before `revision`. Later reads of older revisions fail with 'compacted'. */
  compact(revision: number): Promise<void>;
  /** Milliseconds the last durable write or health probe took; throws if the store cannot be written to. */
  checkHealth(signal: AbortSignal): Promise<void>;
  /** Whether a value is kept otherwise than it would be written now, e.g. encrypted with an older key. Absent: none is. */
  isStale?(key: string): Promise<boolean>;
  /** Bytes that the database takes up on its disk; absent where there is none. */
  sizeBytes?(): Promise<number>;
  /** Resolves when nothing can be written any more until the store is opened anew. Absent: that does not happen. */
  readonly failed?: Promise<StorageError>;
  close(): Promise<void>;
}

export interface StoredEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** The value is encrypted and its key is not available at present. Only where the reader accepts sealed values. */
  readonly isSealed?: true;
}

/** Accepts values whose keys are not available at present, as sealed; absent: reading them rejects with 'unavailable'. */
export interface SealedValues {
  readonly acceptsSealed?: boolean;
}

export interface GetResult {
  readonly entry?: StoredEntry;
  /** Revision of the store when it was read. */
  readonly revision: number;
}

export interface RangeOptions extends SealedValues {
  readonly start: string;
  readonly end: string;
  readonly limit?: number;
  readonly revision?: number;
  readonly keysOnly?: boolean;
  /** False: `count` is not needed, and may be that of the entries alone. Absent: true. */
  readonly wantsCount?: boolean;
}

export interface RangeResult {
  readonly entries: readonly StoredEntry[];
  /** Whether more keys follow within the range. */
  readonly more: boolean;
  /** Number of keys in the whole range, whatever the limit, unless it was not wanted. */
  readonly count: number;
  /** The revision that was read: `options.revision`, or that of the store. */
  readonly revision: number;
}

/** `modRevision: 0` means: the key does not exist. */
export interface Condition {
  readonly key: string;
  readonly modRevision: number;
}

export type Operation =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly value: Uint8Array /** Gone by itself after this time (Events). */;
      readonly ttlSeconds?: number;
    }
  | { readonly type: 'delete'; readonly key: string };

export interface Transaction {
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
}

export type CommitResult =
  | { readonly succeeded: true; readonly revision: number }
  | { readonly succeeded: false; readonly revision: number; readonly current: readonly (StoredEntry | undefined)[] };

export interface WatchOptions extends SealedValues {
  readonly start: string;
  readonly end: string;
  readonly afterRevision: number;
  /** Absent: true. Without it events may lack `previous`: a store that reads it with every change need not. */
  readonly wantsPrevious?: boolean;
  readonly signal: AbortSignal;
}

export interface StorageEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** For a put; absent for a delete. */
  readonly entry?: StoredEntry | undefined;
  /** The entry before this event, absent if there was none. Read on first use, while the revision is not compacted. */
  readonly previous?: StoredEntry | undefined;
}

export interface WatchBatch {
  readonly events: readonly StorageEvent[];
  /** The revision up to which everything has been delivered. A batch without events is a progress notification. */
  readonly revision: number;
}

export type StorageErrorReason =
  | 'compacted'
  | 'future-revision'
  | 'unavailable'
  | 'timeout'
  | 'no-space'
  | 'corrupt'
  | 'closed'
  /** The write was too large: it was not made, and would fail again. */
  | 'too-large';

export class StorageError extends Error {
  readonly reason: StorageErrorReason;
  /** For 'compacted': the oldest revision that can still be read; for 'future-revision': the newest there is. */
  readonly revision: number | undefined;
  /** A commit that may have been done, or may still be. */
  readonly isOutcomeUnknown: boolean;
  constructor(reason: StorageErrorReason, message: string, options?: { revision?: number; cause?: unknown; isOutcomeUnknown?: boolean }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StorageError';
    this.reason = reason;
    this.revision = options?.revision;
    this.isOutcomeUnknown = options?.isOutcomeUnknown ?? false;
  }
}

/** The end of the range of all keys that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
