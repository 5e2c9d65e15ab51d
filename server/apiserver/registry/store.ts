import type { AuditLatency } from '../audit/audit-record.ts';
import type { Converting } from '../../../api/apply/versions.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ObjectKey, UntypedObject } from '../../../api/meta/object.ts';
import type { Status } from '../../../api/meta/status.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { OperationOptions } from '../request/operation-options.ts';
import type { CachedObject, WatchCache } from '../../storage/watch-cache/watch-cache.ts';
import type { LargeObjects } from './large-objects/large-objects.ts';
import type { Batches, BatchQuery } from './read-batches.ts';

/** The writer and the options of a write: the part of a request that the registry needs. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Name for metadata.managedFields. */
  readonly fieldManager: string;
  /** '' for the main resource. */
  readonly subresource: string;
  readonly signal: AbortSignal;
  /** The end of the request's time by the monotonic clock. Absent: it has none. */
  readonly deadlineMs?: number | undefined;
  /** The options of the request as admission shows them. Absent: none. */
  readonly operationOptions?: OperationOptions;
  addWarning(text: string): void;
  /** Adds an annotation to the events of the audit log. Absent: the request is not audited. */
  annotate?(key: string, value: string, level?: 'Request'): void;
  /** Absent likewise. */
  addLatency?(layer: AuditLatency, ms: number): void;
}

/** An object after a write (or as it would be, with dryRun), in the requested version. */
export interface Written {
  readonly object: UntypedObject;
  /** Wire JSON with the resourceVersion in place. */
  readonly json: Uint8Array;
  /** PUT of a missing object made it. */
  readonly created: boolean;
}

/** Shows an object to admission as another kind. */
export interface AdmissionView {
  show(object: DeepReadonly<UntypedObject>): UntypedObject;
  /** Copies the changes that admission made back to the object. */
  write(shown: DeepReadonly<UntypedObject>, object: UntypedObject): void;
}

export interface UpdateOptions extends WriteContext {
  /**
   * Given the present state and its wire JSON (absent only where the kind allows create on update), returns the new state. Called again
   * after a conflict, unless the returned object names the resourceVersion it was made from.
   */
  readonly change: (old: DeepReadonly<UntypedObject> | undefined, json?: () => Uint8Array) => UntypedObject | Promise<UntypedObject>;
  /** Skips admission: internal steps that upstream does below it (removing finalizers, binding). */
  readonly skipAdmission?: boolean;
  /** The object as admission sees it, if that is of another kind (Scale). Absent: the object itself. */
  readonly admissionView?: AdmissionView;
  /** Whether the change is written without the kind's strategy and validation, as upstream does for binding. */
  readonly bypassesStrategy?: boolean;
  /** Whether the request is a patch: another uid in a patch is an error of the object, while in a whole object it is a precondition. */
  readonly isPatch?: boolean;
  /** Whether a missing object is created, as server-side apply does. */
  readonly createIfMissing?: boolean;
  /** How ownership is recorded; apply keeps the managedFields that it computed itself. */
  readonly keepsManagedFields?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface DeleteOptions {
  /** Skips admission, as where upstream deletes below it (evictions). */
  readonly skipAdmission?: boolean;
  /** Whether the object is deleted as part of a collection: admission then gets no name. */
  readonly isOfCollection?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** Deletes only an object that cannot be read (KEP-3926). */
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

/** The object, if it still exists (finalizers, grace period); a Status if it is gone. */
export type Deleted =
  | { readonly kind: 'object'; readonly written: Written }
  | { readonly kind: 'status'; readonly status: Status /** Absent where it could not be read. */; readonly last?: Written };

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
  update(key: ObjectKey, options: UpdateOptions): Promise<Written>;
  /** Runs steps that ask for objects of other versions of the kind. */
  convertVersions<T>(steps: Converting<T>): Promise<T>;
  delete(key: ObjectKey, options: DeleteOptions, context: WriteContext): Promise<Deleted>;
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
