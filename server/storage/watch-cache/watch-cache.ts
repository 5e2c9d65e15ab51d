import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import type { StoredEntry } from '../storage.ts';

/** An object at one revision, as bytes. Everything else is made on first use, once, and shared by all readers. */
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
  /** The value of a field that field selectors may name; undefined for a field that the resource does not have. */
  field(name: string): string | undefined;
  /** Parsed and deep-frozen. */
  object(): DeepReadonly<UntypedObject>;
  /** Another encoding of this revision (Table row, metadata only, other version, watch frame), made once by `make`. */
  /** Whether that representation is there already. */
  hasEncoded(representation: string): boolean;
  encoded(representation: string, make: (object: CachedObject) => Uint8Array): Uint8Array;
}

export interface ListQuery {
  /** Selects the keys of the resource under this prefix: '' for all, 'default/' for one namespace. */
  readonly keyPrefix: string;
  /** Exact snapshot to read from; absent: the newest. Throws StorageError 'compacted' if it is no longer held. */
  readonly revision?: number;
  /** Selects only keys above this one (relative, as keyPrefix). */
  readonly after?: string;
}

export interface Listing {
  readonly revision: number;
  /** The objects in key order, read lazily. The count is that of the range, without selectors. */
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
  /** '' for all keys of the resource, a prefix that ends with a slash ('default/') for all keys below it, or a whole key. */
  readonly keyPrefix: string;
  /** The selector as text. Watches with the same prefix and text select the same objects and share the work. */
  readonly selector: string;
  /** A condition that `matches` implies. Its field must be one that the cache's objects know. */
  readonly requires?: RequiredValue;
  matches(object: CachedObject): boolean;
}

export interface CacheWatchOptions {
  readonly scope: WatchScope;
  /** Yields events above this revision. Throws StorageError 'compacted' if the log no longer reaches back to it. */
  readonly afterRevision: number;
  /** Ask for a BOOKMARK about once a minute, and when the watch is about to end. */
  readonly bookmarks: boolean;
  readonly signal: AbortSignal;
}

/** `object` of DELETED is the last state with the revision of the delete. Leaving a selector is DELETED too. */
export type CacheEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: CachedObject }
  | { readonly type: 'BOOKMARK'; readonly revision: number };

/** One or more consecutive events, shared by all watches that see the same ones. */
export interface CacheEvents {
  readonly events: readonly CacheEvent[];
  /** A value made from these events (their encoded frames), once for all watches. A representation always has one type. */
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
