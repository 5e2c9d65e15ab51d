import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';

/** Converts between objects of the served version and bytes of the stored version. */
export interface ObjectCodec {
  readonly schema: StructuralSchema;
  /** The stored form: JSON of the stored version, without resourceVersion. */
  toStored(object: UntypedObject): Uint8Array;
  /** The wire JSON, in the served version, of an object that was just written; revision 0: that would have been written (a dry run). */
  toWire(object: UntypedObject, stored: Uint8Array, revision: number): Uint8Array;
  read(cached: CachedObject): DeepReadonly<UntypedObject>;
  bytes(cached: CachedObject): Uint8Array;
  /** Converts by webhook the objects that need it, before they can be read. Absent: all objects can be read at once. */
  prepare?(objects: readonly CachedObject[], signal: AbortSignal): Promise<void>;
  /**
   * Instead of toStored: the stored form, made by a webhook. Absent: toStored makes it. `known` is what toStored has made of the
   * object in another thread.
   */
  store?(object: UntypedObject, signal: AbortSignal, known: Uint8Array | undefined): Promise<Uint8Array>;
  protobuf(cached: CachedObject): Uint8Array;
  /** Whether its protobuf is there already. */
  hasProtobuf(cached: CachedObject): boolean;
  /** Keeps protobuf that was encoded elsewhere; returns it, or the encoding that was kept first. */
  keepProtobuf(cached: CachedObject, bytes: Uint8Array): Uint8Array;
}
