import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';

/** Between objects of the served version and bytes of the stored one. */
export interface ObjectCodec {
  readonly schema: StructuralSchema;
  /** The stored form: JSON of the stored version, without resourceVersion. */
  toStored(object: UntypedObject): Uint8Array;
  /** Wire JSON of the served version for what has just been written; revision 0: what would have been (a dry run). */
  toWire(object: UntypedObject, stored: Uint8Array, revision: number): Uint8Array;
  read(cached: CachedObject): DeepReadonly<UntypedObject>;
  bytes(cached: CachedObject): Uint8Array;
  /** Converts what a webhook has to convert, before the objects can be read. Absent: all can be read at once. */
  prepare?(objects: readonly CachedObject[], signal: AbortSignal): Promise<void>;
  /** Instead of toStored: the stored form, made by a webhook. Absent: toStored makes it. */
  store?(object: UntypedObject, signal: AbortSignal): Promise<Uint8Array>;
  protobuf(cached: CachedObject): Uint8Array;
  /** Whether its protobuf is there already. */
  hasProtobuf(cached: CachedObject): boolean;
  /** The protobuf that was made elsewhere, or the one that is there by now. */
  keepProtobuf(cached: CachedObject, bytes: Uint8Array): Uint8Array;
}
