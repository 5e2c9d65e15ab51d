import type { JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';

/** Numbers from 0 to 1, the same for the same seed. */
export type Next = () => number;

const below = (next: Next, limit: number): number => Math.floor(next() * limit);
export const pick = <T>(next: Next, values: readonly T[]): T => values[below(next, values.length)] as T;
const chance = (next: Next, of: number): boolean => next() < of;

const words = [
  '',
  'a',
  'abc',
  'ABC-1',
  'x y',
  'ä€𝄞',
  '10.0.0.1',
  '010.0.0.1',
  '::1',
  '10.0.0.0/8',
  'a@b.c',
  'http://a/b',
  '2024-02-29',
  '2023-02-29',
];
const moreWords = ['2024-01-01T00:00:00Z', '2024-01-01T24:00:00Z', '5m', '2 days', 'YWJj', 'abc=', '123e4567-e89b-12d3-a456-426614174000'];
const texts = [
  ...words,
  ...moreWords,
  '#fff',
  'rgb(1,2,3)',
  '0321751043',
  '4111111111111111',
  '00:11:22:33:44:55',
  'example.com',
  '-a',
  'constructor',
];
const formats = [
  'date',
  'date-time',
  'datetime',
  'ipv4',
  'ipv6',
  'cidr',
  'email',
  'uri',
  'hostname',
  'uuid',
  'uuid4',
  'byte',
  'duration',
  'mac',
];
const moreFormats = [
  'password',
  'isbn',
  'creditcard',
  'ssn',
  'hexcolor',
  'rgbcolor',
  'int32',
  'int64',
  'double',
  'unheard-of',
  'bsonobjectid',
];
const patterns = ['^[a-z]+$', 'b', '^\\d', '^(a|b)*c$', '^.{2,4}$', '[A-Z]', '^$'];
const numbers = [0, 1, -1, 3, 10, 100, 1.5, -2.5, 0.1, 2 ** 31, 1e6];

/** A schema for a field, structural as a definition must be. */
function generateSchema(next: Next, depth: number): JSONSchemaProps {
  const schema = generateShape(next, depth);
  if (chance(next, 0.15)) schema.nullable = true;
  if (chance(next, 0.2) && depth > 0) addAlternatives(next, schema);
  return schema;
}

function generateShape(next: Next, depth: number): JSONSchemaProps {
  const kinds = [
    'string',
    'string',
    'integer',
    'number',
    'boolean',
    'int-or-string',
    ...(depth > 0 ? ['object', 'object', 'map', 'array', 'list-map', 'set', 'preserved', 'embedded'] : []),
  ];
  switch (pick(next, kinds)) {
    case 'string':
      return { type: 'string', ...stringRules(next) };
    case 'integer':
      return { type: 'integer', ...numberRules(next), ...(chance(next, 0.3) ? { format: pick(next, ['int32', 'int64', 'date']) } : {}) };
    case 'number':
      return { type: 'number', ...numberRules(next) };
    case 'boolean':
      return { type: 'boolean' };
    case 'int-or-string':
      return { 'x-kubernetes-int-or-string': true, ...(chance(next, 0.3) ? stringRules(next) : {}) };
    case 'map':
      return { type: 'object', additionalProperties: generateSchema(next, depth - 1), ...sizeRules(next, 'Properties') };
    case 'array':
      return { type: 'array', items: generateSchema(next, depth - 1), ...sizeRules(next, 'Items') };
    case 'set':
      return {
        type: 'array',
        'x-kubernetes-list-type': 'set',
        items: { type: pick(next, ['string', 'integer']) },
        ...sizeRules(next, 'Items'),
      };
    case 'list-map':
      return listMap(next, depth);
    case 'preserved':
      return { ...generateObject(next, depth - 1), 'x-kubernetes-preserve-unknown-fields': true };
    case 'embedded':
      return { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true };
    default:
      return generateObject(next, depth - 1);
  }
}

function listMap(next: Next, depth: number): JSONSchemaProps {
  const keys = chance(next, 0.5) ? ['name'] : ['name', 'port'];
  const properties: Record<string, JSONSchemaProps> = {
    name: { type: 'string' },
    port: { type: 'integer' },
    v: generateSchema(next, depth - 1),
  };
  return {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    items: { type: 'object', properties, required: keys },
  };
}

export function generateObject(next: Next, depth: number): JSONSchemaProps {
  const names = ['a', 'b', 'c', 'd'].slice(0, 1 + below(next, 4));
  const properties = Object.fromEntries(names.map((name) => [name, generateSchema(next, depth)]));
  const required = names.filter(() => chance(next, 0.25));
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(chance(next, 0.1) ? sizeRules(next, 'Properties') : {}),
  };
}

function sizeRules(next: Next, what: 'Items' | 'Properties'): JSONSchemaProps {
  return {
    ...(chance(next, 0.3) ? { [`max${what}`]: 1 + below(next, 3) } : {}),
    ...(chance(next, 0.2) ? { [`min${what}`]: below(next, 3) } : {}),
  };
}

function stringRules(next: Next): JSONSchemaProps {
  return {
    ...(chance(next, 0.3) ? { maxLength: below(next, 6) } : {}),
    ...(chance(next, 0.2) ? { minLength: below(next, 4) } : {}),
    ...(chance(next, 0.25) ? { pattern: pick(next, patterns) } : {}),
    ...(chance(next, 0.3) ? { format: pick(next, [...formats, ...moreFormats]) } : {}),
    ...(chance(next, 0.15) ? { enum: [pick(next, texts), pick(next, texts)] } : {}),
  };
}

function numberRules(next: Next): JSONSchemaProps {
  return {
    ...(chance(next, 0.3) ? { minimum: pick(next, numbers), exclusiveMinimum: chance(next, 0.3) } : {}),
    ...(chance(next, 0.3) ? { maximum: pick(next, numbers), exclusiveMaximum: chance(next, 0.3) } : {}),
    ...(chance(next, 0.2) ? { multipleOf: pick(next, [1, 2, 3, 0.5, 0.1]) } : {}),
    ...(chance(next, 0.1) ? { enum: [pick(next, numbers), pick(next, numbers)] } : {}),
  };
}

/** Adds rules of which a value must meet one, some or none, of a kind that is allowed there. */
function addAlternatives(next: Next, schema: JSONSchemaProps): void {
  const rule = (): JSONSchemaProps => {
    switch (schema.type) {
      case 'string':
        return stringRules(next);
      case 'integer':
      case 'number':
        return numberRules(next);
      case 'array':
        return sizeRules(next, 'Items');
      case 'object': {
        const names = Object.keys(schema.properties ?? {});
        return { ...sizeRules(next, 'Properties'), ...(names.length > 0 ? { required: [pick(next, names)] } : {}) };
      }
      default:
        return {};
    }
  };
  const rules = () => Array.from({ length: 1 + below(next, 3) }, rule);
  switch (pick(next, ['anyOf', 'oneOf', 'allOf', 'not'])) {
    case 'anyOf':
      schema.anyOf = rules();
      break;
    case 'oneOf':
      schema.oneOf = rules();
      break;
    case 'allOf':
      schema.allOf = rules();
      break;
    default:
      schema.not = rule();
  }
}

/** Generates a value for the schema, sometimes an invalid one. */
export function generateValue(next: Next, schema: JSONSchemaProps, depth = 0): unknown {
  if (chance(next, 0.06)) return pick(next, [null, 'text', 7, 1.5, true, [], {}, [1], { z: 1 }, -1]);
  if (schema['x-kubernetes-embedded-resource']) return embedded(next);
  if (schema['x-kubernetes-int-or-string']) return pick(next, [5, '5', 'a', 0, 1.5]);
  if (schema.enum && chance(next, 0.7)) return pick(next, schema.enum);
  switch (schema.type) {
    case 'string':
      return pick(next, texts);
    case 'integer':
      return pick(next, [0, 1, 2, 3, -1, 10, 100, 2 ** 31, 2 ** 40]);
    case 'number':
      return pick(next, [...numbers, 0.3, 2, 6]);
    case 'boolean':
      return chance(next, 0.5);
    case 'array': {
      const items = schema.items as JSONSchemaProps;
      return Array.from({ length: below(next, 4) }, () => generateValue(next, items, depth + 1));
    }
    default:
      return generateMap(next, schema, depth);
  }
}

function generateMap(next: Next, schema: JSONSchemaProps, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    if (chance(next, 0.8)) object[name] = generateValue(next, property, depth + 1);
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object')
    for (const key of ['k', 'key.with.dots', 'metadata'].slice(0, below(next, 4)))
      object[key] = generateValue(next, additionalProperties, depth + 1);
  if (chance(next, 0.15)) object['unknown'] = pick(next, [1, 'x', { y: [1] }, null]);
  return object;
}

function embedded(next: Next): unknown {
  const object: Record<string, unknown> = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: { a: 'b' } }, spec: { x: 1 } };
  if (chance(next, 0.2)) delete object['apiVersion'];
  if (chance(next, 0.2)) object['kind'] = pick(next, ['', 'pod_', 'a b']);
  if (chance(next, 0.2)) object['metadata'] = pick(next, [{ name: 'a/b' }, { labels: { 'a b': 'c' } }, { name: 'a', nope: 1 }, {}]);
  return object;
}

const defaultsOf: Readonly<Record<string, readonly unknown[]>> = {
  string: ['', 'abc'],
  integer: [0, 3],
  number: [1.5],
  boolean: [true, false],
};

/** Sets a default on some scalars that have no further rules. Modifies. */
export function addDefaults(next: Next, schema: JSONSchemaProps): void {
  const isFree = Object.keys(schema).every((key) => key === 'type' || key === 'nullable');
  if (isFree && chance(next, 0.5)) schema.default = pick(next, defaultsOf[schema.type ?? ''] ?? [undefined]);
  if (schema.default === undefined) delete schema.default;
  if (schema['x-kubernetes-list-type'] === 'map') return;
  for (const property of Object.values(schema.properties ?? {})) addDefaults(next, property);
  if (typeof schema.items === 'object') addDefaults(next, schema.items as JSONSchemaProps);
  if (typeof schema.additionalProperties === 'object') addDefaults(next, schema.additionalProperties);
}
