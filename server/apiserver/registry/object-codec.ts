import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../api/resource/schema-of.ts';
import { orderFields } from '../../../api/schema/order-fields.ts';
import { parseJSON, stringifyJSON } from '../../../api/serialization/json.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { ObjectCodec } from './codec.ts';
import { createCustomCodec } from './custom-codec.ts';
import { withVersion } from './with-version.ts';
import { setResourceVersion } from '../../storage/watch-cache/wire-json.ts';

/** The codec of objects of `definition` that are stored as `stored` has them. */
export function createObjectCodec(definition: ResourceDefinition, stored: ResourceDefinition): ObjectCodec {
  return definition.schema ? createCustomCodec(definition, definition.schema) : createBuiltInCodec(definition, stored);
}

function createBuiltInCodec(definition: ResourceDefinition, stored: ResourceDefinition): ObjectCodec {
  const schema = schemaOf(definition);
  const { convert } = definition;
  const isConverted = stored !== definition && convert !== undefined;
  const storedSchema = isConverted ? schemaOf(stored) : schema;
  const representation = `version:${apiVersionOf(definition)}`;
  const protobuf = `protobuf:${apiVersionOf(definition)}`;
  const fromStorage = (object: UntypedObject): UntypedObject => {
    if (!isConverted) return object;
    const converted = convert.fromStorage(object as KubeObject) as UntypedObject;
    return orderFields({ ...converted, apiVersion: apiVersionOf(definition), kind: definition.names.kind }, schema);
  };
  const parse = (json: Uint8Array): UntypedObject => parseJSON(json).value as UntypedObject;
  const parsed = new WeakMap<CachedObject, DeepReadonly<UntypedObject>>();
  return {
    schema,
    toStored(object) {
      const { resourceVersion: _, ...metadata } = object.metadata;
      const own = { ...object, metadata } as UntypedObject;
      const converted = isConverted
        ? ({ ...convert.toStorage(structuredClone(own)), apiVersion: apiVersionOf(stored), kind: stored.names.kind } as UntypedObject)
        : own;
      return stringifyJSON(orderFields(converted, storedSchema));
    },
    toWire(object, bytes, revision) {
      if (isConverted) return stringifyJSON(orderFields(withVersion(object, revision), schema));
      return revision === 0 ? bytes : setResourceVersion(bytes, revision);
    },
    read(cached) {
      if (!isConverted) return cached.object();
      let object = parsed.get(cached);
      if (!object) parsed.set(cached, (object = fromStorage(parse(cached.json))));
      return object;
    },
    hasProtobuf: (cached) => cached.hasEncoded(protobuf),
    keepProtobuf: (cached, bytes) => cached.encoded(protobuf, () => bytes),
    protobuf(cached) {
      return cached.encoded(protobuf, () => encodeProtobuf(this.read(cached) as UntypedObject, schema));
    },
    bytes: (cached) => (isConverted ? cached.encoded(representation, () => stringifyJSON(fromStorage(parse(cached.json)))) : cached.json),
  };
}
