import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { KubeObject, UntypedObject } from '../../../../api/meta/object.ts';
import { unexpectedError } from '../../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { orderFields } from '../../../../api/schema/order-fields.ts';
import { stringifyJSON } from '../../../../api/serialization/json.ts';
import { encodeProtobuf } from '../../../../api/serialization/protobuf/protobuf.ts';
import type { CachedObject } from '../../../storage/watch-cache/watch-cache.ts';
import type { ConvertObjects } from '../../webhooks/convert-objects.ts';
import type { ObjectCodec } from '../codec.ts';
import { withVersion } from '../with-version.ts';

type Conversion = NonNullable<ResourceDefinition['conversionWebhook']>;

/** The codec of a custom kind with a conversion webhook: objects of other versions are converted before they are read or stored. */
export function createConvertingCodec(
  definition: ResourceDefinition,
  own: ObjectCodec,
  webhook: Conversion,
  convert: ConvertObjects,
): ObjectCodec {
  const apiVersion = apiVersionOf(definition);
  const storedAs = definition.storageVersion ? apiVersionOf(definition.storageVersion) : apiVersion;
  const { schema } = own;
  /** Kept as long as the objects that they were made of: each is converted once. */
  const converted = new WeakMap<CachedObject, DeepReadonly<UntypedObject>>();
  const isOwn = (cached: CachedObject) => cached.object()['apiVersion'] === apiVersion;
  const find = (cached: CachedObject): DeepReadonly<UntypedObject> => {
    const found = converted.get(cached);
    if (!found) throw unexpectedError(`${definition.names.plural} ${cached.name} has not been converted to ${apiVersion}`);
    return found;
  };
  return {
    ...own,
    async prepare(objects, signal) {
      const others = Map.groupBy(
        objects.filter((cached) => !isOwn(cached) && !converted.has(cached)),
        (cached) => cached.object()['apiVersion'],
      );
      for (const some of others.values()) {
        const results = await convert(
          webhook,
          some.map((cached) => cached.object()),
          apiVersion,
          signal,
        );
        for (const [index, cached] of some.entries()) {
          const object = cloneJSON(results[index]) as UntypedObject;
          converted.set(cached, (definition.readStored?.(object as KubeObject) ?? object) as UntypedObject);
        }
      }
    },
    async store(object, signal) {
      const { resourceVersion: _, ...metadata } = object.metadata;
      const bare = { ...object, metadata } as UntypedObject;
      const [stored = bare] = storedAs === apiVersion ? [bare] : await convert(webhook, [bare], storedAs, signal);
      return stringifyJSON(storedAs === apiVersion ? orderFields(stored, schema) : stored);
    },
    toStored(object) {
      const { resourceVersion: _, ...metadata } = object.metadata;
      return stringifyJSON(orderFields({ ...object, metadata } as UntypedObject, schema));
    },
    toWire: (object, _stored, revision) => stringifyJSON(orderFields(withVersion(object, revision), schema)),
    read: (cached) => (isOwn(cached) ? own.read(cached) : find(cached)),
    bytes(cached) {
      if (isOwn(cached)) return own.bytes(cached);
      return cached.encoded(`converted:${apiVersion}`, () => stringifyJSON(orderFields(find(cached), schema)));
    },
    protobuf(cached) {
      if (isOwn(cached)) return own.protobuf(cached);
      return cached.encoded(`protobuf:${apiVersion}`, () => encodeProtobuf(find(cached) as UntypedObject, schema));
    },
  };
}
