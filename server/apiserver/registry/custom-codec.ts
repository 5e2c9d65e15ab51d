import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { cloneJSON } from '../../../api/base/json-object.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { orderFields } from '../../../api/schema/order-fields.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';
import { stringifyJSON } from '../../../api/serialization/json.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { setResourceVersion } from '../../storage/watch-cache/wire-json.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { ObjectCodec } from './codec.ts';
import { withVersion } from './with-version.ts';

/**
 * The codec of a custom kind. An object is stored in the version that was the storage version when it was written, and is pruned and
 * defaulted by the present schema when it is read. Most objects need no change: their stored bytes are served.
 */
export function createCustomCodec(definition: ResourceDefinition, schema: StructuralSchema): ObjectCodec {
  const apiVersion = apiVersionOf(definition);
  const storedAs = definition.storageVersion ? apiVersionOf(definition.storageVersion) : apiVersion;
  const representation = `version:${apiVersion}`;
  const protobuf = `protobuf:${apiVersion}`;
  /** Objects whose bytes need no change. */
  const served = new WeakSet<CachedObject>();
  const restored = new WeakMap<CachedObject, WeakRef<DeepReadonly<UntypedObject>>>();
  const restore = (object: UntypedObject): UntypedObject => {
    const isOther = object['apiVersion'] !== apiVersion;
    const own = isOther && definition.convert ? definition.convert.fromStorage(object as KubeObject) : { ...object, apiVersion };
    return (definition.readStored?.(own as KubeObject) ?? own) as UntypedObject;
  };
  /** An object that the defaults of now would make too large was written under others, and is as it was written. */
  const restoreBounded = (object: DeepReadonly<UntypedObject>): DeepReadonly<UntypedObject> => {
    try {
      return restore(cloneJSON(object) as UntypedObject);
    } catch (error) {
      if (error instanceof StatusError && object['apiVersion'] === apiVersion) return object;
      throw error;
    }
  };
  /** undefined: the stored object needs no change. */
  const change = (cached: CachedObject): DeepReadonly<UntypedObject> | undefined => {
    if (served.has(cached)) return undefined;
    const known = restored.get(cached)?.deref();
    if (known) return known;
    const object = cached.object();
    const changed = restoreBounded(object);
    if (isEqual(changed, object)) {
      served.add(cached);
      return undefined;
    }
    restored.set(cached, new WeakRef(changed));
    return changed;
  };
  return {
    schema,
    toStored(object) {
      const { resourceVersion: _, ...metadata } = object.metadata;
      const own = { ...object, metadata } as UntypedObject;
      const converted = definition.convert
        ? { ...definition.convert.toStorage(structuredClone(own) as KubeObject), apiVersion: storedAs }
        : { ...own, apiVersion: storedAs };
      return stringifyJSON(orderFields(converted, schema));
    },
    toWire(object, bytes, revision) {
      if (storedAs !== apiVersion) return stringifyJSON(orderFields(withVersion(object, revision), schema));
      return revision === 0 ? bytes : setResourceVersion(bytes, revision);
    },
    read: (cached) => change(cached) ?? cached.object(),
    bytes(cached) {
      const changed = change(cached);
      return changed ? cached.encoded(representation, () => stringifyJSON(orderFields(changed, schema))) : cached.json;
    },
    hasProtobuf: (cached) => cached.hasEncoded(protobuf),
    keepProtobuf: (cached, bytes) => cached.encoded(protobuf, () => bytes),
    protobuf(cached) {
      return cached.encoded(protobuf, () => encodeProtobuf(this.read(cached) as UntypedObject, schema));
    },
  };
}
