import {
  boolType,
  bytesType,
  type CELType,
  doubleType,
  durationType,
  dynType,
  type Field,
  intType,
  listType,
  mapType,
  sized,
  stringType,
  timestampType,
} from './types.ts';

/** The parts of an OpenAPI v3 schema that are read, whether it comes from a CRD or from a built-in kind. */
export interface SchemaLike {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, SchemaLike>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaLike | boolean;
  readonly items?: SchemaLike;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** The CEL type of a schema's values, and the least number of bytes that such a value takes as JSON. */
export interface SizedType {
  readonly type: CELType;
  readonly minBytes: number;
}

/** The size of the longest request, in bytes. It bounds values that the schema does not bound. */
export const maxRequestBytes = 3 * 1024 * 1024;
const text = (maxLength: number): SizedType => ({ type: sized(stringType, maxLength), minBytes: 2 });
/** Kubernetes takes scalars and objects to be of no size, so that comparing them is expected to cost nothing. */
const scalar = (type: CELType, minBytes: number): SizedType => ({ type: sized(type, 0), minBytes });

/**
 * The type that expressions see of a schema; undefined where they may not see it (no type, or lists and maps of such).
 * `name` is the name of the object type; of a resource's root pass isResourceRoot, for it always has apiVersion, kind and
 * metadata. Fields are named as `escapeIdentifier` does; those it cannot name are left out.
 */
export function typeOfSchema(schema: SchemaLike, name: string, isResourceRoot = false): CELType | undefined {
  return typeOf(schema, name, isResourceRoot)?.type;
}

/** typeOfSchema with the least size of such values. */
export function sizedTypeOfSchema(schema: SchemaLike, name: string, isResourceRoot = false): SizedType | undefined {
  return typeOf(schema, name, isResourceRoot);
}

function typeOf(schema: SchemaLike, name: string, isResourceRoot: boolean): SizedType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return { type: sized(dynType, maxRequestBytes - 2), minBytes: 1 };
  switch (isResourceRoot ? 'object' : schema.type) {
    case 'array':
      return typeOfArray(schema, name);
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? typeOfMap(schema, schema.additionalProperties, name)
        : typeOfObject(schema, name, isResourceRoot);
    case 'string':
      return typeOfString(schema);
    case 'boolean':
      return scalar(boolType, 4);
    case 'number':
      return scalar(doubleType, 1);
    case 'integer':
      return scalar(intType, 1);
    default:
      return undefined;
  }
}

const isEmbedded = (schema: SchemaLike): boolean => schema['x-kubernetes-embedded-resource'] === true;

function typeOfArray(schema: SchemaLike, name: string): SizedType | undefined {
  const { items, maxItems } = schema;
  const element = items === undefined ? undefined : typeOf(items, `${name}.@idx`, isEmbedded(items));
  if (element === undefined) return undefined;
  const most = maxItems ?? Math.floor((maxRequestBytes - 2) / (element.minBytes + 1));
  const type = listType(element.type, Math.max(0, most));
  const kind = schema['x-kubernetes-list-type'];
  if (kind === 'set') return { type: { ...type, listKind: 'set' }, minBytes: 2 };
  if (kind !== 'map') return { type, minBytes: 2 };
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((key) => escapeIdentifier(key) ?? key);
  return { type: { ...type, listKind: keys }, minBytes: 2 };
}

function typeOfMap({ maxProperties }: SchemaLike, values: SchemaLike, name: string): SizedType | undefined {
  const value = typeOf(values, `${name}.@elem`, isEmbedded(values));
  if (value === undefined) return undefined;
  const most = maxProperties ?? Math.floor((maxRequestBytes - 2) / (value.minBytes + 6));
  return { type: mapType(sized(stringType, 0), value.type, Math.max(0, most)), minBytes: 2 };
}

const rootProperties: Readonly<Record<string, SchemaLike>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
};

function typeOfObject(schema: SchemaLike, name: string, isResourceRoot: boolean): SizedType {
  const fields = new Map<string, Field>();
  let minBytes = 2;
  const properties = { ...schema.properties, ...(isResourceRoot ? rootProperties : {}) };
  for (const [property, inner] of Object.entries(properties)) {
    const identifier = escapeIdentifier(property);
    const found = typeOf(inner, `${name}.${identifier ?? property}`, isEmbedded(inner));
    if (found === undefined) continue;
    if (identifier !== undefined)
      fields.set(identifier, identifier === property ? { type: found.type } : { type: found.type, json: property });
    if (schema.required?.includes(property) === true && inner.default === undefined) minBytes += property.length + found.minBytes + 4;
  }
  return { type: { kind: 'object', name, params: [], fields: () => fields, maxSize: 0 }, minBytes };
}

function typeOfString(schema: SchemaLike): SizedType {
  const { format, maxLength } = schema;
  const limit = maxLength === undefined ? undefined : Math.max(0, maxLength);
  switch (format) {
    case 'byte':
      return { type: sized(bytesType, limit ?? maxRequestBytes - 2), minBytes: 2 };
    case 'duration':
      return { type: sized(durationType, 32), minBytes: 3 };
    case 'date':
      return { type: sized(timestampType, 12), minBytes: 12 };
    case 'date-time':
      return { type: sized(timestampType, 32), minBytes: 21 };
    default: {
      // A character may take four bytes, and requests are limited in bytes.
      if (limit !== undefined) return text(limit * 4);
      if (schema.enum === undefined || schema.enum.length === 0) return text(maxRequestBytes - 2);
      return text(Math.max(0, ...schema.enum.map((value) => (typeof value === 'string' ? value.length : 0))));
    }
  }
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const escapes: ReadonlyMap<string, string> = new Map([
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
]);

/** A field's name as expressions write it: `a-b` is `a__dash__b`, `namespace` is `__namespace__`. Undefined: it cannot be written. */
export function escapeIdentifier(name: string): string | undefined {
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replace(/__|[./-]/g, (part) => escapes.get(part) ?? part);
}
