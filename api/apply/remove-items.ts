import { setOwn } from '../base/json-object.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { type FieldSet, isMember, leaf } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { elementOrIndex, elementSchema, isAtomicList, isAtomicMap, isMap, memberSchemaOrUntyped } from './typed-schema.ts';

/**
 * The value without the fields, entries and elements in the set; undefined if nothing remains. A member that becomes empty stays as null,
 * as upstream does, and so keeps the manager that owns it as a whole. Shares unchanged parts.
 */
export function removeItems(schema: StructuralSchema, value: unknown, removed: FieldSet): unknown {
  if (isMap(value)) {
    if (Object.keys(value).length === 0) return value;
    return isAtomicMap(schema) ? undefined : removeMembers(schema, value, removed);
  }
  if (!Array.isArray(value) || value.length === 0) return value;
  return isAtomicList(schema) ? undefined : removeElements(schema, value, removed);
}

function removeMembers(schema: StructuralSchema, value: Readonly<Record<string, unknown>>, removed: FieldSet): unknown {
  const rest: Record<string, unknown> = {};
  let count = 0;
  for (const key of Object.keys(value)) {
    const node = removed[fieldElement(key)];
    if (node !== undefined && isMember(node)) continue;
    const member = node === undefined ? value[key] : removeItems(memberSchemaOrUntyped(schema, key), value[key], node);
    setOwn(rest, key, member ?? null);
    count++;
  }
  return count === 0 ? undefined : rest;
}

function removeElements(schema: StructuralSchema, list: readonly unknown[], removed: FieldSet): unknown {
  const rest: unknown[] = [];
  for (const [index, value] of list.entries()) {
    const node = removed[elementOrIndex(schema, value, index)];
    if (node !== undefined && isMember(node)) continue;
    const element = node === undefined || node === leaf ? value : removeItems(elementSchema(schema), value, node);
    if (element !== undefined) rest.push(element);
  }
  return rest.length === 0 ? undefined : rest;
}
