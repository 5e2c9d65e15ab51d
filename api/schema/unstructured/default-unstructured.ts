import { cloneJSON, type JSONObject, setOwn } from '../../base/json-object.ts';
import { unexpectedError } from '../../meta/status-errors.ts';
import type { StructuralSchema } from '../structural-schema.ts';

const reaching = new WeakMap<StructuralSchema, boolean>();

/** The greatest growth of one object, in characters of JSON: twice of what can be stored. */
const maxGrowth = 3 * 1024 * 1024;

interface Growth {
  left: number;
}

/**
 * Sets the defaults of a custom kind's schema where a field is absent, or is null and not nullable. A default may bring fields that have
 * defaults too, so each level is defaulted after it was added. The object has been decoded. Modifies it. Throws a
 * StatusError for an object that would grow without end: a large default at each of many places.
 */
export function defaultUnstructured(value: unknown, schema: StructuralSchema): void {
  setDefaults(value, schema, { left: maxGrowth });
}

function setDefaults(value: unknown, schema: StructuralSchema, growth: Growth): void {
  if (typeof value !== 'object' || value === null || !reachesDefaults(schema)) return;
  if (Array.isArray(value)) {
    if (schema.items) defaultItems(value, schema.items, growth);
    return;
  }
  const object = value as JSONObject;
  const { properties, additionalProperties } = schema;
  for (const [name, { schema: property }] of properties ?? []) {
    if (property.default !== undefined && (!Object.hasOwn(object, name) || isUnset(object[name], property)))
      setOwn(object, name, defaultOf(property, growth));
    if (Object.hasOwn(object, name)) setDefaults(object[name], property, growth);
  }
  if (additionalProperties === undefined) return;
  for (const key of Object.keys(object)) {
    if (properties?.has(key)) continue;
    if (isUnset(object[key], additionalProperties)) setOwn(object, key, defaultOf(additionalProperties, growth));
    setDefaults(object[key], additionalProperties, growth);
  }
}

const sizes = new WeakMap<StructuralSchema, number>();

/** A copy of the schema's default, null if it has none. Throws a StatusError. */
function defaultOf(schema: StructuralSchema, growth: Growth): unknown {
  if (schema.default === undefined) return null;
  let size = sizes.get(schema);
  if (size === undefined) sizes.set(schema, (size = JSON.stringify(schema.default)?.length ?? 0));
  growth.left -= size;
  if (growth.left < 0) throw unexpectedError(`the defaults of its schema make the object more than ${maxGrowth} bytes larger`);
  return cloneJSON(schema.default);
}

function defaultItems(list: unknown[], items: StructuralSchema, growth: Growth): void {
  for (let index = 0; index < list.length; index++) {
    if (isUnset(list[index], items)) list[index] = defaultOf(items, growth);
    setDefaults(list[index], items, growth);
  }
}

function isUnset(value: unknown, schema: StructuralSchema): boolean {
  return value === null && schema.nullable !== true;
}

/** Whether there is a default at or below the schema. Schemas of custom kinds are trees. */
function reachesDefaults(schema: StructuralSchema): boolean {
  const known = reaching.get(schema);
  if (known !== undefined) return known;
  const { properties, additionalProperties, items } = schema;
  const has = (inner: StructuralSchema | undefined): boolean =>
    inner !== undefined && (inner.default !== undefined || reachesDefaults(inner));
  const found = has(additionalProperties) || has(items) || [...(properties?.values() ?? [])].some((property) => has(property.schema));
  reaching.set(schema, found);
  return found;
}
