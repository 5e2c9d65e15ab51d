import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import type { StoredEntry } from '../storage.ts';

/** One object at one revision as it travels: bytes first; all else is made lazily, once, and shared by every reader. */
export interface CachedObject {
  /** Storage key, e.g. /registry/pods/default/web. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** The value of metadata.resourceVersion: the revision of the write, or of the delete for the object of a DELETED event. */
  readonly revision: number;
  /** Bytes it keeps in memory. */
  readonly size: number;
  /** Wire JSON of the storage version with metadata.resourceVersion in place. Must not be modified. */
  readonly json: Uint8Array;
  labels(): Readonly<Record<string, string>>;
  /** Value of a field that field selectors may name; undefined for one the resource does not know. */
  field(name: string): string | undefined;
  /** Parsed and deep-frozen. */
  object(): DeepReadonly<UntypedObject>;
  /** Another encoding of this revision (Table row, metadata only, other version, watch frame), made once by `make`. */
  /** Whether that representation is there already. */
  hasEncoded(representation: string): boolean;
  encoded(representation: string, make: (object: CachedObject) => Uint8Array): Uint8Array;
}

export interface ListQuery {
  /** Keys of this resource under this prefix: '' for all, 'default/' for one namespace. */
  readonly keyPrefix: string;
  /** Exact snapshot to read from; absent: the newest. Throws StorageError 'compacted' if it is no longer held. */
  readonly revision?: number;
  /** Only keys above this one (relative, as keyPrefix). */
  readonly after?: string;
}

export interface Listing {
  readonly revision: number;
  /** In key order, lazily; count is that of the range, not of what a selector would keep. */
  readonly objects: Iterable<CachedObject>;
  readonly count: number;
}

/** A value that an object must have to be selected: changes are led to watches by it. */
export interface RequiredValue {
  readonly of: 'field' | 'label';
  readonly name: string;
  readonly value: string;
}

/** The scope of a watch. */
export interface WatchScope {
  /** '' for all keys of the resource, one up to and with a slash ('default/') for all below it, or a whole key. */
  readonly keyPrefix: string;
  /** Watches with the same prefix and the same text here select the same objects: they share what is worked out for them. */
  readonly selector: string;
  /** The least condition of `matches`. A field must be one that objects of the cache know. */
  readonly requires?: RequiredValue;
  matches(object: CachedObject): boolean;
}

export interface CacheWatchOptions {
  readonly scope: WatchScope;
  /** Events above this revision. Throws StorageError 'compacted' if it is older than what the log still holds. */
  readonly afterRevision: number;
  /** Ask for a BOOKMARK about once a minute, and when the watch is about to end. */
  readonly bookmarks: boolean;
  readonly signal: AbortSignal;
}

/** `object` of DELETED is the last state with the revision of the delete. Leaving a selector is DELETED too. */
export type CacheEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: CachedObject }
  | { readonly type: 'BOOKMARK'; readonly revision: number };

/** One or more events that have come together, the same for all watches that see the same. */
export interface CacheEvents {
  readonly events: readonly CacheEvent[];
  /** A value made of these events (their frames), once for all watches; one representation is always of one type. */
  shared<T extends object>(representation: string, make: () => T): T;
}

/** All objects of one stored resource in memory, following the store's log. */
export interface WatchCache {
  /** Revision up to which the cache has followed the log. */
  revision(): number;
  /**
   * Waits until the cache has reached `revision`, or with 'newest' the store's present revision (KEP-2340 consistent
   * read). Throws StorageError 'timeout' after `timeoutMs`.
   */
  reach(revision: number | 'newest', options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<void>;
  /** Relative key: `name`, or `namespace/name`. */
  get(relativeKey: string): CachedObject | undefined;
  list(query: ListQuery): Listing;
  /** A consumer that falls too far behind is ended (the iteration returns); it resumes from its last revision. */
  watch(options: CacheWatchOptions): AsyncIterable<CacheEvents>;
  /** Wraps an entry that was read from the store itself, e.g. at a past revision, as an object of this resource. */
  wrap(entry: StoredEntry): CachedObject;
  watchers(): number;
  count(): number;
  /** Size of all stored objects. */
  bytes(): number;
}
