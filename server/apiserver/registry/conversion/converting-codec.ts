import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { KubeObject, UntypedObject } from '../../../../api/meta/object.ts';
import { unexpectedError } from '../../../../api/meta/status-errors.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { orderFields } from '../../../../api/schema/order-fields.ts';
import type { StructuralSchema } from '../../../../api/schema/structural-schema.ts';
import { stringifyJSON } from '../../../../api/serialization/json.ts';
import { encodeProtobuf } from '../../../../api/serialization/protobuf/protobuf.ts';
import type { CachedObject } from '../../../storage/watch-cache/watch-cache.ts';
import type { ConvertObjects } from '../../webhooks/convert-objects.ts';
import type { ObjectCodec } from '../codec.ts';
import { costs, createTurns } from '../turns.ts';
import { withVersion } from '../with-version.ts';
import { planCalls } from './plan-calls.ts';

/** Calls of one list or watch: more would let one reader take the memory for answers from all others. */
const callsAtOnce = 4;

type Conversion = NonNullable<ResourceDefinition['conversionWebhook']>;

function addTo<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

/** JSON of an object in its own version, without resourceVersion. */
export function toOwnJSON(object: UntypedObject, schema: StructuralSchema): Uint8Array {
  return stringifyJSON(orderFields(withoutVersion(object), schema));
}

function withoutVersion(object: UntypedObject): UntypedObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

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
      const turns = createTurns();
      const others = new Map<unknown, CachedObject[]>();
      for (const cached of objects) {
        if (converted.has(cached)) continue;
        if (turns.isOver(cached.json.length * costs.byte)) await turns.next();
        const version = cached.object()['apiVersion'];
        if (version !== apiVersion) addTo(others, version, cached);
      }
      const calls = [...others.values()].flatMap((some) => planCalls(some, ({ json }) => json.length));
      const work = async () => {
        for (let call = calls.pop(); call; call = calls.pop()) {
          const asked = call.map((cached) => cached.object());
          const results = await convert(webhook, asked, apiVersion, signal).catch((error: unknown) => {
            calls.length = 0;
            throw error;
          });
          for (const [index, cached] of call.entries()) {
            if (turns.isOver(cached.json.length * costs.byte)) await turns.next();
            const object = cloneJSON(results[index]) as UntypedObject;
            converted.set(cached, (definition.readStored?.(object as KubeObject) ?? object) as UntypedObject);
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(callsAtOnce, calls.length) }, work));
    },
    async store(object, signal, known) {
      if (storedAs === apiVersion) return known ?? toOwnJSON(object, schema);
      const bare = withoutVersion(object);
      const [stored = bare] = await convert(webhook, [bare], storedAs, signal);
      return stringifyJSON(stored);
    },
    toStored: (object) => toOwnJSON(object, schema),
    toWire(object, stored, revision) {
      if (storedAs === apiVersion) return own.toWire(object, stored, revision);
      return stringifyJSON(orderFields(withVersion(object, revision), schema));
    },
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
