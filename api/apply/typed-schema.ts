import { findDefinitionSchema } from '../schema/definition-schema.ts';
import type { PropertySchema, StructuralSchema } from '../schema/structural-schema.ts';
import { comparePathElements, fieldElement, keyMember, type PathElement, valueElement } from './path-element.ts';

/** How server-side apply looks at a schema: every value is a scalar, a map or a list; maps and lists may be atomic. */

/** The schema of any JSON, with granular maps and atomic lists: fields that a custom resource's schema does not know. */
const untyped: StructuralSchema = { type: 'any' };
const text: StructuralSchema = { type: 'string' };

type Shape = 'scalar' | 'map' | 'list';

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The shape that the schema gives the value; a value that does not fit its schema is a scalar. */
export function shapeOf(schema: StructuralSchema, value: unknown): Shape {
  if (typeof value !== 'object') return 'scalar';
  if (value === null) return schema.type === 'array' ? 'list' : schema.type === 'object' || schema.type === 'any' ? 'map' : 'scalar';
  if (Array.isArray(value)) return schema.type === 'array' || schema.type === 'any' ? 'list' : 'scalar';
  return schema.type === 'object' || schema.type === 'any' ? 'map' : 'scalar';
}

export function isAtomicMap(schema: StructuralSchema): boolean {
  // A value of a built-in type that may have any shape (RawExtension) has one owner.
  return schema.mapType === 'atomic' || (schema.type === 'any' && schema.name !== undefined);
}

export function isAtomicList(schema: StructuralSchema): boolean {
  return schema.listType === undefined || schema.listType === 'atomic' || (schema.listType === 'map' && !schema.listMapKeys?.length);
}

/** The fields that a schema names. Those of every object are among them where another resource is embedded. */
export function propertiesOf(schema: StructuralSchema): StructuralSchema['properties'] {
  return schema.embeddedResource ? rootSchema(schema).properties : schema.properties;
}

/** Schema of a map's member; undefined if the schema does not allow it. */
export function memberSchema(schema: StructuralSchema, key: string): StructuralSchema | undefined {
  const property = propertiesOf(schema)?.get(key);
  if (property !== undefined) return property.schema;
  return schema.additionalProperties ?? (schema.type === 'any' || schema.preserveUnknownFields ? untyped : undefined);
}

/** A member's schema for walking a value that has already been accepted. */
export function memberSchemaOrUntyped(schema: StructuralSchema, key: string): StructuralSchema {
  return memberSchema(schema, key) ?? untyped;
}

/** A member of a map: its path element, its schema, and its position among the fields that the schema names (-1 if it is not named). */
export interface MemberPlace {
  readonly element: PathElement;
  readonly schema: StructuralSchema;
  readonly rank: number;
}

const placesBySchema = new WeakMap<StructuralSchema, ReadonlyMap<string, MemberPlace>>();

function namedPlaces(schema: StructuralSchema): ReadonlyMap<string, MemberPlace> {
  const known = placesBySchema.get(schema);
  if (known !== undefined) return known;
  const properties = [...(propertiesOf(schema) ?? [])].toSorted(([a], [b]) => comparePathElements(fieldElement(a), fieldElement(b)));
  const places = new Map(
    properties.map(([name, property], rank) => [name, { element: fieldElement(name), schema: property.schema, rank }]),
  );
  placesBySchema.set(schema, places);
  return places;
}

/** The place of a member of a value that has already been accepted. */
export function placeOf(schema: StructuralSchema, key: string): MemberPlace {
  const named = propertiesOf(schema) === undefined ? undefined : namedPlaces(schema).get(key);
  return named ?? { element: fieldElement(key), schema: memberSchemaOrUntyped(schema, key), rank: -1 };
}

/** Compares two members of one map by the canonical order. */
export function comparePlaces(a: MemberPlace, b: MemberPlace): number {
  return a.rank >= 0 && b.rank >= 0 ? a.rank - b.rank : comparePathElements(a.element, b.element);
}

export function elementSchema(schema: StructuralSchema): StructuralSchema {
  return schema.items ?? untyped;
}

/** The error for a list element that has no identity of its own; the message says why. */
export class ElementError extends Error {
  override readonly name = 'ElementError';
}

const sortedKeys = new WeakMap<StructuralSchema, readonly { readonly name: string; readonly fallback: unknown }[]>();

function keysOf(schema: StructuralSchema): readonly { readonly name: string; readonly fallback: unknown }[] {
  let keys = sortedKeys.get(schema);
  if (keys === undefined) {
    keys = (schema.listMapKeys ?? []).toSorted().map((name) => ({ name, fallback: fallbackOf(schema.items?.properties?.get(name)) }));
    sortedKeys.set(schema, keys);
  }
  return keys;
}

/** The value of a key that an element does not set: its default, or the zero value that Go would write. */
function fallbackOf(property: PropertySchema | undefined): unknown {
  if (property === undefined) return undefined;
  if (property.schema.default !== undefined) return property.schema.default;
  if (!property.required || property.pointer) return undefined;
  return property.schema.type === 'string' ? '' : property.schema.type === 'integer' ? 0 : undefined;
}

/** The identity of an element of a set or a list map. Throws ElementError. */
export function elementOf(schema: StructuralSchema, value: unknown): PathElement {
  if (schema.listType === 'set') {
    if (value === null) throw new ElementError("associative list without keys has an element that's an explicit null");
    if (Array.isArray(value)) throw new ElementError('not supported: associative list with lists as elements');
    if (typeof value === 'object') throw new ElementError("associative list without keys has an element that's a map type");
    return valueElement(value);
  }
  if (value === null) throw new ElementError('associative list with keys may not have a null element');
  if (!isMap(value)) throw new ElementError('associative list with keys may not have non-map elements');
  let members = '';
  for (const { name, fallback } of keysOf(schema)) {
    const own = Object.hasOwn(value, name) ? value[name] : undefined;
    const field = own === undefined ? fallback : own;
    if (field !== undefined) members += members === '' ? keyMember(name, field) : `,${keyMember(name, field)}`;
  }
  if (members !== '') return `k:{${members}}`;
  const keys = (schema.listMapKeys ?? []).map((name) => JSON.stringify(name)).join(' ');
  throw new ElementError(
    `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`,
  );
}

/** The element of a list as elementOf gives it; an element without identity is known by its index. */
export function elementOrIndex(schema: StructuralSchema, value: unknown, index: number): PathElement {
  try {
    return elementOf(schema, value);
  } catch (error) {
    if (error instanceof ElementError) return `i:${index}`;
    throw error;
  }
}

const roots = new WeakMap<StructuralSchema, StructuralSchema>();
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The schema of a whole object. The schema of a custom resource need not describe apiVersion, kind and metadata. */
export function rootSchema(schema: StructuralSchema): StructuralSchema {
  if (schema.properties?.get('metadata')?.schema.properties?.has('managedFields')) return schema;
  const known = roots.get(schema);
  if (known !== undefined) return known;
  const plain = { required: false, omitEmpty: true, pointer: false };
  const properties = new Map(schema.properties ?? []);
  properties.set('apiVersion', { schema: text, ...plain });
  properties.set('kind', { schema: text, ...plain });
  const metadata = findDefinitionSchema(objectMeta);
  if (metadata !== undefined) properties.set('metadata', { schema: metadata, ...plain });
  const root: StructuralSchema = { ...schema, type: 'object', properties };
  roots.set(schema, root);
  return root;
}
