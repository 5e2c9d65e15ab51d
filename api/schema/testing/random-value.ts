import { setOwn } from '../../base/json-object.ts';
import { type Random, randomInt } from '../../base/random.ts';
import { findKindSchema } from '../definition-schema.ts';
import { definitionTexts, packagesByAPIVersion } from '../generated/definition-texts.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { formatJSON } from '../../base/format-json.ts';

const texts = ['', 'a', 'web', 'äöü€😀', 'x"y\\z\n', 'yes', '0x1f', '1e3', 'null', ' # ', '<a href="?x&y">', `${'long '.repeat(60)}.`];
const integers = [0, 1, -1, 127, 128, 16_384, 2 ** 31 - 1, -(2 ** 31)];
const longs = [...integers, 2 ** 32, Number.MAX_SAFE_INTEGER, 9_007_199_254_740_993n, -9_223_372_036_854_775_808n];
const byFormat: Readonly<Record<string, readonly unknown[]>> = {
  quantity: ['1500m', '1Gi', '0', '12e6', '-3Mi', '100'],
  'int-or-string': [0, -7, 8080, '50%', ''],
  'date-time': ['2025-01-02T03:04:05Z', '1970-01-01T00:00:00Z', '1901-02-03T04:05:06Z', '9999-12-31T23:59:59Z'],
  'micro-time': ['2025-01-02T03:04:05.678901Z', '1969-12-31T23:59:59.000001Z'],
  byte: ['', 'AAECAw==', '//79'],
  'json-schema-or-bool': [true, false, { type: 'string' }],
  'json-schema-or-array': [{ type: 'string' }, [{ type: 'string' }, { format: 'x' }]],
  'json-schema-or-string-array': [{ type: 'string' }, ['a', 'b']],
  'fields-v1': [{ 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'k:{"name":"x"}': {} }],
  'raw-extension': [{ kind: 'X', apiVersion: 'y/v1', list: [1, 'two', null, 0.5, true], deep: { er: {} } }],
  json: [{ a: [1] }, 'text', 7, 0.5, true, ['x']],
  int64: longs,
};

export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[randomInt(random, list.length)] as T;
}

/** Lists of which no two elements have the same keys, be it for apply or for strategic merge, as valid objects have them. */
function withoutRepeats(
  list: readonly unknown[],
  { listType, listMapKeys = [], patchMergeKey, patchStrategy }: StructuralSchema,
): unknown[] {
  const isSet = listType === 'set' || (patchStrategy?.includes('merge') === true && patchMergeKey === undefined);
  const keyed = (keys: readonly string[]) => (item: unknown) => formatJSON(keys.map((key) => (item as Record<string, unknown>)[key]));
  const identities = [
    ...(isSet ? [(item: unknown) => formatJSON(item)] : []),
    ...(listType === 'map' ? [keyed(listMapKeys)] : []),
    ...(patchMergeKey === undefined ? [] : [keyed([patchMergeKey])]),
  ];
  let kept = [...list];
  for (const identify of identities) kept = [...new Map(kept.map((item) => [identify(item), item])).values()];
  return kept;
}

/**
 * A random value of a schema, of a size that stays bounded. Lists and maps are never empty, since protobuf cannot tell those
 * from absent ones; keyed lists have no two elements of the same key, and every element has its keys.
 */
export function randomValue(random: Random, schema: StructuralSchema, depth = 0): unknown {
  const known = byFormat[schema.format ?? ''];
  if (known) return oneOf(random, known);
  const count = 1 + randomInt(random, 3);
  switch (schema.type) {
    case 'string':
      return schema.enum && randomInt(random, 2) === 0 ? oneOf(random, schema.enum) : oneOf(random, texts);
    case 'integer':
      return oneOf(random, integers);
    case 'number':
      return oneOf(random, [0.25, -1.5, 1e21, 3.5]);
    case 'boolean':
      return oneOf(random, [true, false]);
    case 'array':
      return withoutRepeats(
        Array.from({ length: count }, () => randomItem(random, schema, depth + 1)),
        schema,
      );
    default:
      return randomObjectOf(random, schema, depth, count);
  }
}

function randomItem(random: Random, list: StructuralSchema, depth: number): unknown {
  const items = list.items ?? { type: 'any' };
  const item = randomValue(random, items, depth);
  const keys = [...(list.listMapKeys ?? []), ...(list.patchMergeKey === undefined ? [] : [list.patchMergeKey])];
  for (const key of keys) {
    const property = items.properties?.get(key);
    if (property && typeof item === 'object' && item !== null)
      setOwn(item as Record<string, unknown>, key, randomValue(random, property.schema, depth + 1));
  }
  return item;
}

function randomObjectOf(
  random: Random,
  { additionalProperties: values, properties }: StructuralSchema,
  depth: number,
  count: number,
): object {
  const object: Record<string, unknown> = {};
  if (values) {
    for (let entry = 0; entry < count; entry++) setOwn(object, oneOf(random, texts), randomValue(random, values, depth + 1));
    return object;
  }
  const likelihood = depth > 3 ? 4 : 2;
  for (const [name, { schema, protobuf }] of properties ?? []) {
    // Schemas may contain themselves.
    const isTooDeep =
      depth > 8 && (schema.properties !== undefined || schema.type === 'array' || schema.additionalProperties !== undefined);
    if (protobuf && !isTooDeep && randomInt(random, likelihood) === 0) setOwn(object, name, randomValue(random, schema, depth + 1));
  }
  return object;
}

export interface KindOfSchema {
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: StructuralSchema;
}

/** Every kind there is, lists, options and reviews included. */
export function allKinds(): KindOfSchema[] {
  return [...packagesByAPIVersion].flatMap(([apiVersion, packageName]) => {
    const definitions = JSON.parse(definitionTexts.get(packageName) ?? '{}') as Record<string, { kind?: boolean }>;
    return Object.keys(definitions).flatMap((kind) => {
      const schema = definitions[kind]?.kind === true ? findKindSchema(apiVersion, kind) : undefined;
      return schema ? [{ apiVersion, kind, schema }] : [];
    });
  });
}

/** A random object of a kind, with apiVersion and kind. It is not decoded, so fields that decoding always adds are missing. */
export function randomObject(random: Random, { apiVersion, kind, schema }: KindOfSchema): Record<string, unknown> {
  return { ...(randomValue(random, schema) as object), apiVersion, kind };
}
