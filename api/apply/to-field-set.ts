import type { StructuralSchema } from '../schema/structural-schema.ts';
import { emptySet, type FieldSet, leaf, sortSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import {
  elementOrIndex,
  elementSchema,
  isAtomicList,
  isAtomicMap,
  isMap,
  memberSchemaOrUntyped,
  propertiesOf,
  shapeOf,
} from './typed-schema.ts';

type Builder = { [element: string]: FieldSet };

/** The fields that an applied configuration claims: its leaves, its list elements and its map entries, but not the structs around them. */
export function toFieldSet(schema: StructuralSchema, value: unknown): FieldSet {
  return sortSet(claims(schema, value) ?? emptySet);
}

/** undefined: nothing is claimed. */
function claims(schema: StructuralSchema, value: unknown): FieldSet | undefined {
  switch (shapeOf(schema, value)) {
    case 'scalar':
      return leaf;
    case 'map':
      if (isAtomicMap(schema)) return leaf;
      return isMap(value) ? claimsOfMap(schema, value) : undefined;
    case 'list':
      if (isAtomicList(schema)) return leaf;
      return Array.isArray(value) ? claimsOfList(schema, value) : undefined;
  }
}

function claimsOfMap(schema: StructuralSchema, value: Readonly<Record<string, unknown>>): FieldSet | undefined {
  const set: Builder = {};
  let isEmpty = true;
  for (const key in value) {
    const member = value[key];
    if (member === undefined) continue;
    const below = claims(memberSchemaOrUntyped(schema, key), member);
    const isClaimed = member === null || (isMap(member) && Object.keys(member).length === 0) || !propertiesOf(schema)?.has(key);
    const node = isClaimed ? withSelf(below) : below;
    if (node === undefined) continue;
    set[fieldElement(key)] = node;
    isEmpty = false;
  }
  return isEmpty ? undefined : set;
}

function withSelf(node: FieldSet | undefined): FieldSet {
  if (node === undefined || node === leaf) return leaf;
  return node['.'] === undefined ? { '.': leaf, ...node } : node;
}

function claimsOfList(schema: StructuralSchema, list: readonly unknown[]): FieldSet | undefined {
  const set: Builder = {};
  for (let index = 0; index < list.length; index++) {
    const element = elementOrIndex(schema, list[index], index);
    // Elements with equal keys share one owner.
    set[element] = set[element] === undefined ? withSelf(claims(elementSchema(schema), list[index])) : leaf;
  }
  return list.length === 0 ? undefined : set;
}

/** The set together with the structs that hold its fields: all that must be removed so that no part of it remains. */
export function withStructs(schema: StructuralSchema, set: FieldSet): FieldSet {
  const result: Builder = {};
  for (const element in set) {
    const node = set[element] ?? leaf;
    if (element === '.' || node === leaf) {
      result[element] = node;
      continue;
    }
    const name = element.slice(2);
    const isField = element.startsWith('f:');
    const below = isField ? memberSchemaOrUntyped(schema, name) : elementSchema(schema);
    const nested = withStructs(below, node);
    result[element] = isField && propertiesOf(schema)?.has(name) ? withSelf(nested) : nested;
  }
  return result;
}
