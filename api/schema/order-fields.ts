import { type JSONObject, setOwn } from '../base/json-object.ts';
import type { PropertySchema, StructuralSchema } from './structural-schema.ts';

/**
 * The object with its fields in the order in which decode leaves them, and with map keys sorted, so that equal objects have equal bytes.
 * Returns the object itself if everything is in order; the parts that are rebuilt are copies.
 */
export function orderFields<T>(value: T, schema: StructuralSchema): T {
  return (schema.isUnstructured ? sortKeys(value) : order(value, schema)) as T;
}

/** The value with the keys of all its objects sorted; the value itself where they are. */
function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let sorted: unknown[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const inner = sortKeys(value[index]);
      if (inner !== value[index]) (sorted ??= [...value])[index] = inner;
    }
    return sorted ?? value;
  }
  const object = value as JSONObject;
  const keys = Object.keys(object);
  let isChanged = false;
  for (let index = 1; index < keys.length; index++) isChanged ||= (keys[index - 1] ?? '') > (keys[index] ?? '');
  if (isChanged) keys.sort();
  const ordered: JSONObject = {};
  for (const key of keys) {
    const inner = sortKeys(object[key]);
    isChanged ||= inner !== object[key] || inner === undefined;
    if (inner !== undefined) setOwn(ordered, key, inner);
  }
  return isChanged ? ordered : object;
}

/** The place of a field, and its schema if values in it may have to be ordered. */
interface Place {
  readonly at: number;
  readonly schema: StructuralSchema | undefined;
}

const placesBySchema = new WeakMap<StructuralSchema, ReadonlyMap<string, Place>>();

function placesOf(schema: StructuralSchema, properties: ReadonlyMap<string, PropertySchema>): ReadonlyMap<string, Place> {
  const known = placesBySchema.get(schema);
  if (known) return known;
  const places = new Map<string, Place>();
  for (const [name, property] of properties)
    places.set(name, { at: places.size, schema: hasOrder(property.schema) ? property.schema : undefined });
  placesBySchema.set(schema, places);
  return places;
}

/** Whether values of the schema have fields or keys that can be out of order. Scalars and untyped values have none. */
function hasOrder({ type, items, properties, additionalProperties }: StructuralSchema): boolean {
  if (type === 'array') return items !== undefined && hasOrder(items);
  return type === 'object' && (properties !== undefined || additionalProperties !== undefined);
}

function order(value: unknown, schema: StructuralSchema): unknown {
  if (typeof value !== 'object' || value === null || schema.type === 'any') return value;
  if (Array.isArray(value)) return schema.items && hasOrder(schema.items) ? orderList(value, schema.items) : value;
  const object = value as JSONObject;
  if (schema.properties) return orderStruct(object, schema, schema.properties);
  return schema.additionalProperties ? orderMap(object, schema.additionalProperties) : object;
}

function orderList(list: readonly unknown[], items: StructuralSchema): readonly unknown[] {
  let ordered: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const inner = order(list[index], items);
    if (inner !== list[index]) (ordered ??= [...list])[index] = inner;
  }
  return ordered ?? list;
}

/** Mostly all is in place, and then nothing is made. Fields that the schema does not name come last, as they are. */
function orderStruct(object: JSONObject, schema: StructuralSchema, properties: ReadonlyMap<string, PropertySchema>): JSONObject {
  const places = placesOf(schema, properties);
  let isInOrder = true;
  let last = -1;
  let rebuilt: Map<string, unknown> | undefined;
  for (const key in object) {
    const place = places.get(key);
    const at = place?.at ?? places.size;
    const field = object[key];
    if (at < last || field === undefined) isInOrder = false;
    last = at;
    if (place?.schema === undefined) continue;
    const inner = order(field, place.schema);
    if (inner !== field) (rebuilt ??= new Map()).set(key, inner);
  }
  if (isInOrder && rebuilt === undefined) return object;
  const keys = Object.keys(object);
  const atOf = (key: string) => places.get(key)?.at ?? places.size;
  if (!isInOrder) sortByPlace(keys, keys.map(atOf));
  const ordered: JSONObject = {};
  for (const key of keys) {
    const field = rebuilt?.get(key) ?? object[key];
    if (field !== undefined) setOwn(ordered, key, field);
  }
  return ordered;
}

/** Both in place, in the order of `places`. Mostly few are out of place. */
function sortByPlace(keys: string[], places: number[]): void {
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] ?? '';
    const place = places[index] ?? 0;
    let to = index;
    for (; to > 0 && (places[to - 1] ?? 0) > place; to--) {
      keys[to] = keys[to - 1] ?? '';
      places[to] = places[to - 1] ?? 0;
    }
    keys[to] = key;
    places[to] = place;
  }
}

function orderMap(object: JSONObject, values: StructuralSchema): JSONObject {
  let isInOrder = true;
  let previous: string | undefined;
  for (const key in object) {
    if (previous !== undefined && previous > key) isInOrder = false;
    previous = key;
  }
  const isDeep = hasOrder(values);
  if (isInOrder && !isDeep) return object;
  const keys = Object.keys(object);
  let isChanged = !isInOrder;
  const ordered: JSONObject = {};
  for (const key of isInOrder ? keys : keys.sort()) {
    const inner = isDeep ? order(object[key], values) : object[key];
    isChanged ||= inner !== object[key];
    setOwn(ordered, key, inner);
  }
  return isChanged ? ordered : object;
}
