import assert from 'node:assert/strict';
import { type Random, randomInt } from '../../base/random.ts';
import { createSeededRandom } from '../../base/seeded-random.ts';
import { decode } from '../../schema/decode.ts';
import { findKindSchema } from '../../schema/definition-schema.ts';
import { definitionTexts, packagesByAPIVersion } from '../../schema/generated/definition-texts.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import { parseJSON, stringifyJSON } from '../json.ts';
import { formatYAML, parseYAML } from '../yaml.ts';
import { decodeProtobuf, encodeProtobuf } from './protobuf.ts';

const texts = ['', 'a', 'web', 'äöü€😀', 'x"y\\z\n', 'yes', '0x1f', '1e3', 'null', ' # ', `${'long '.repeat(60)}.`];
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

/** A random value of a schema; lists and maps are never empty, since protobuf cannot tell those from absent ones. */
function generate(random: Random, schema: StructuralSchema, depth: number): unknown {
  const one = <T>(list: readonly T[]): T => list[randomInt(random, list.length)] as T;
  const known = byFormat[schema.format ?? ''];
  if (known) return one(known);
  const count = 1 + randomInt(random, 3);
  switch (schema.type) {
    case 'string':
      return schema.enum && randomInt(random, 2) === 0 ? one(schema.enum) : one(texts);
    case 'integer':
      return one(integers);
    case 'number':
      return one([0.25, -1.5, 1e21, 3.5]);
    case 'boolean':
      return one([true, false]);
    case 'array':
      return Array.from({ length: count }, () => generate(random, schema.items ?? { type: 'any' }, depth + 1));
    default: {
      const { additionalProperties: values } = schema;
      if (values) return Object.fromEntries(Array.from({ length: count }, () => [one(texts), generate(random, values, depth + 1)]));
      const likelihood = depth > 8 ? 12 : depth > 3 ? 4 : 2;
      const fields = [...(schema.properties ?? [])].filter(([, { protobuf }]) => protobuf && randomInt(random, likelihood) === 0);
      return Object.fromEntries(fields.map(([name, property]) => [name, generate(random, property.schema, depth + 1)]));
    }
  }
}

const objectsPerKind = 12;

describe('random objects of every kind go through JSON, YAML and protobuf', () => {
  for (const [apiVersion, packageName] of packagesByAPIVersion) {
    it(`of ${apiVersion}`, () => {
      const definitions = JSON.parse(definitionTexts.get(packageName) ?? '{}') as Record<string, { kind?: boolean }>;
      for (const kind of Object.keys(definitions).filter((name) => definitions[name]?.kind === true)) {
        const schema = findKindSchema(apiVersion, kind);
        assert.ok(schema, kind);
        for (let seed = 1; seed <= objectsPerKind; seed++) {
          const generated = { ...(generate(createSeededRandom(seed), schema, 0) as object), kind, apiVersion };
          const { object, unknownFields } = decode(generated, schema);
          const what = `${kind}, seed ${seed}`;
          assert.deepEqual(unknownFields, [], what);
          assert.deepEqual(decode(parseJSON(stringifyJSON(object)).value, schema).object, object, what);
          assert.deepEqual(decode(parseYAML(new TextEncoder().encode(formatYAML(object))).value, schema).object, object, what);
          assert.deepEqual(decodeProtobuf(encodeProtobuf(object)), object, what);
        }
      }
    });
  }
});
