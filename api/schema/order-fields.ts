import { type JSONObject, setOwn } from '../base/json-object.ts';
import type { StructuralSchema } from './structural-schema.ts';

/**
 * The object with its fields in the order in which decode leaves them and map keys sorted, so that equal objects have
 * equal bytes. Returns the object itself where nothing is out of place; what is rebuilt is a copy.
 */
export function orderFields<T>(value: T, schema: StructuralSchema): T {
  return order(value, schema) as T;
}

function order(value: unknown, schema: StructuralSchema): unknown {
  if (typeof value !== 'object' || value === null || schema.type === 'any') return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items || (items.type !== 'object' && items.type !== 'array')) return value;
    const ordered = value.map((item) => order(item, items));
    return ordered.some((item, index) => item !== value[index]) ? ordered : value;
  }
  const object = value as JSONObject;
  if (schema.properties) return orderStruct(object, schema);
  return schema.additionalProperties ? orderMap(object, schema.additionalProperties) : object;
}

function orderStruct(object: JSONObject, schema: StructuralSchema): JSONObject {
  const properties = schema.properties ?? new Map();
  const ordered: JSONObject = {};
  const keys = Object.keys(object);
  let position = 0;
  let changed = false;
  for (const [name, property] of properties) {
    const field = object[name];
    if (field === undefined) continue;
    const inner = order(field, property.schema);
    ordered[name] = inner;
    if (inner !== field || keys[position] !== name) changed = true;
    position++;
  }
  if (!changed && position === keys.length) return object;
  for (const key of keys) if (!properties.has(key)) setOwn(ordered, key, object[key]);
  return ordered;
}

function orderMap(object: JSONObject, values: StructuralSchema): JSONObject {
  const keys = Object.keys(object);
  const sorted = [...keys].sort();
  const ordered: JSONObject = {};
  let changed = false;
  for (const [index, key] of sorted.entries()) {
    const inner = order(object[key], values);
    if (inner !== object[key] || keys[index] !== key) changed = true;
    setOwn(ordered, key, inner);
  }
  return changed ? ordered : object;
}
