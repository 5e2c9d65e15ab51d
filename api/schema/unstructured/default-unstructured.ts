import { cloneJSON, type JSONObject, setOwn } from '../../base/json-object.ts';
import type { StructuralSchema } from '../structural-schema.ts';

const reaching = new WeakMap<StructuralSchema, boolean>();

/**
 * Sets the defaults of a custom kind's schema where a field is absent, or is null and not nullable. A default may bring fields that have
 * defaults too, so each level is defaulted after it was added. The object has been decoded. Modifies it.
 */
export function defaultUnstructured(value: unknown, schema: StructuralSchema): void {
  if (typeof value !== 'object' || value === null || !reachesDefaults(schema)) return;
  if (Array.isArray(value)) {
    if (schema.items) defaultItems(value, schema.items);
    return;
  }
  const object = value as JSONObject;
  const { properties, additionalProperties } = schema;
  for (const [name, { schema: property }] of properties ?? []) {
    if (property.default !== undefined && (!Object.hasOwn(object, name) || isUnset(object[name], property)))
      setOwn(object, name, cloneJSON(property.default));
    if (Object.hasOwn(object, name)) defaultUnstructured(object[name], property);
  }
  if (additionalProperties === undefined) return;
  for (const key of Object.keys(object)) {
    if (properties?.has(key)) continue;
    if (isUnset(object[key], additionalProperties)) setOwn(object, key, cloneJSON(additionalProperties.default ?? null));
    defaultUnstructured(object[key], additionalProperties);
  }
}

function defaultItems(list: unknown[], items: StructuralSchema): void {
  for (let index = 0; index < list.length; index++) {
    if (isUnset(list[index], items)) list[index] = cloneJSON(items.default ?? null);
    defaultUnstructured(list[index], items);
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
