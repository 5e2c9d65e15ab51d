import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { formatJSON } from '../../base/format-json.ts';
import { isJSONObject, type JSONObject } from '../../base/json-object.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import { duplicate, type FieldError, hasEnoughErrors, invalid } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';

const listed = new WeakMap<StructuralSchema, boolean>();

/** Validates that lists of type set have no element twice and lists of type map no keys. */
export function validateListTypes(value: DeepReadonly<unknown>, schema: StructuralSchema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  visit(value, schema, path, errors);
  return errors;
}

function visit(value: unknown, schema: StructuralSchema, path: FieldPath, errors: FieldError[]): void {
  if (typeof value !== 'object' || value === null || !reachesLists(schema) || hasEnoughErrors(errors)) return;
  if (Array.isArray(value)) {
    if (schema.listType === 'set') addDuplicates(value, (index) => value[index], path, errors);
    else if (schema.listType === 'map') validateListMap(value, schema.listMapKeys ?? [], path, errors);
    if (schema.items) for (const [index, item] of value.entries()) visit(item, schema.items, path.index(index), errors);
    return;
  }
  const object = value as JSONObject;
  for (const key in object) {
    const property = schema.properties?.get(key)?.schema;
    if (property !== undefined) visit(object[key], property, path.child(key), errors);
    else if (schema.additionalProperties !== undefined) visit(object[key], schema.additionalProperties, path.key(key), errors);
  }
}

/** Whether there are lists of type set or map at or below the schema. Schemas of custom kinds are trees. */
function reachesLists(schema: StructuralSchema): boolean {
  const known = listed.get(schema);
  if (known !== undefined) return known;
  const { properties, additionalProperties, items, listType } = schema;
  const reaches = (inner: StructuralSchema | undefined) => inner !== undefined && reachesLists(inner);
  const found =
    listType === 'set' ||
    listType === 'map' ||
    reaches(items) ||
    reaches(additionalProperties) ||
    [...(properties?.values() ?? [])].some((property) => reaches(property.schema));
  listed.set(schema, found);
  return found;
}

/** Reports the second of several equal elements; `shownAt` returns the text that the message shows for an element. */
function addDuplicates(elements: readonly unknown[], shownAt: (index: number) => unknown, path: FieldPath, errors: FieldError[]): void {
  if (elements.length < 2) return;
  const times = new Map<unknown, number>();
  for (let index = 0; index < elements.length && !hasEnoughErrors(errors); index++) {
    const element = elements[index];
    // JSON as the identity tells lists and objects apart; the keys of objects are sorted.
    const identity = typeof element === 'object' && element !== null ? `json:${formatJSON(element)}` : scalarIdentity(element);
    const seen = (times.get(identity) ?? 0) + 1;
    times.set(identity, seen);
    if (seen === 2) errors.push(duplicate(path.index(index), shownAt(index)));
  }
}

/** Text keeps apart from the JSON of objects. */
function scalarIdentity(value: unknown): unknown {
  return typeof value === 'string' ? `text:${value}` : typeof value === 'bigint' ? `integer:${value}` : value;
}

function validateListMap(list: readonly unknown[], keys: readonly string[], path: FieldPath, errors: FieldError[]): void {
  for (const [index, element] of list.entries()) {
    if (element === null || isJSONObject(element)) continue;
    errors.push(invalid(path.index(index), element, 'must be an object for an array of list-type map'));
    return;
  }
  const shown = list.map((element) => keysOf(element as JSONObject | null, keys));
  addDuplicates(shown, (index) => shown[index], path, errors);
}

function keysOf(element: JSONObject | null, keys: readonly string[]): JSONObject {
  const found: JSONObject = {};
  if (element === null) return found;
  // In the order of their names, so that equal keys have equal JSON.
  for (const key of keys.toSorted()) if (Object.hasOwn(element, key)) found[key] = element[key];
  return found;
}
