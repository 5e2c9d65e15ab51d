import type { Converting } from '../../../api/apply/versions.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ObjectKey, UntypedObject } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { CachedObject, WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import type { LargeObjects } from './large-objects/large-objects.ts';
import type { DeletePipeline, UpdatePipeline } from './writes/pipelines.ts';
import type { Deleted, DeleteOptions, UpdateOptions, WriteContext, Written } from './writes/write-context.ts';
import type { Batches, BatchQuery } from './read-batches.ts';

/** The operations on the objects of one resource, the same for every kind. Throws StatusErrors. */
export interface Store {
  readonly definition: ResourceDefinition;
  readonly cache: WatchCache;
  readonly largeObjects: LargeObjects;
  /** Throws StorageError 'compacted' for a revision that is held nowhere any more. */
  readBatches(query: BatchQuery): Promise<Batches>;
  /**
   * Waits until the cache is at the store's newest revision. Resolves with that revision where the cache does not get there
   * in time: the store itself is to be read then.
   */
  reachNewest(signal: AbortSignal): Promise<number | undefined>;
  /** The newest state; throws NotFound. */
  get(key: ObjectKey, signal: AbortSignal): Promise<CachedObject>;
  create(object: UntypedObject, namespace: string, context: WriteContext): Promise<Written>;
  update(pipeline: UpdatePipeline, key: ObjectKey, options: UpdateOptions): Promise<Written>;
  /** Runs steps that ask for objects of other versions of the kind. */
  convertVersions<T>(steps: Converting<T>): Promise<T>;
  delete(pipeline: DeletePipeline, key: ObjectKey, options: DeleteOptions, context: WriteContext): Promise<Deleted>;
  /** Converts by webhook the objects that need it, before they can be read. Undefined: all objects can be read at once. */
  readonly prepare: ((objects: readonly CachedObject[], signal: AbortSignal) => Promise<void>) | undefined;
  /** The object in the version of this definition (converted if another version is stored), frozen. */
  read(cached: CachedObject): DeepReadonly<UntypedObject>;
  /** Wire JSON of the served version. */
  bytes(cached: CachedObject): Uint8Array;
  /** The served version in protobuf, with its envelope; made once and shared. */
  protobuf(cached: CachedObject): Uint8Array;
  hasProtobuf(cached: CachedObject): boolean;
  /** Keeps protobuf that was encoded elsewhere; returns it, or the encoding that was kept first. */
  keepProtobuf(cached: CachedObject, bytes: Uint8Array): Uint8Array;
}
