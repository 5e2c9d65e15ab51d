import assert from 'node:assert/strict';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { workFactorOf } from './work-factor.ts';

const items = (schema: JSONSchemaProps): JSONSchemaProps => ({
  type: 'object',
  properties: { spec: { type: 'object', properties: { list: { type: 'array', items: schema } } } },
});
const text = (length: number) => 'x'.repeat(length);

describe('the work that objects of a custom kind make', () => {
  const table: readonly [what: string, schema: JSONSchemaProps | undefined, least: number, most: number][] = [
    ['no schema', undefined, 0, 0],
    ['types and limits', items({ type: 'string', maxLength: 5, enum: ['a', 'b'] as never }), 0, 0],
    ['numbers or strings', items({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }), 0.1, 1],
    ['a common pattern', items({ type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' }), 0.5, 2],
    ['repetitions in a pattern', items({ type: 'string', pattern: '^(a{0,100}){0,10}$' }), 500, 2000],
    ['open repetitions', items({ type: 'string', pattern: '(a{1000,}b{1000})' }), 100_000, Number.MAX_SAFE_INTEGER],
    ['many alternatives', items({ type: 'integer', anyOf: Array.from({ length: 1000 }, (_, i) => ({ maximum: -i })) }), 100, 200],
    [
      'alternatives in alternatives',
      items({ allOf: [{ oneOf: Array.from({ length: 80 }, () => ({ not: { required: ['a'] } })) }] }),
      20,
      40,
    ],
    ['a rule', items({ type: 'string', 'x-kubernetes-validations': [{ rule: 'true' }] }), 64, 65],
    ['a long rule', items({ type: 'string', 'x-kubernetes-validations': [{ rule: text(32_000) }] }), 2000, 2100],
    ['a long default', items({ type: 'object', properties: { a: { type: 'string', default: text(3000) as never } } }), 1000, 1100],
    [
      'defaults of several properties',
      items({ type: 'object', properties: Object.fromEntries([...'abcdefghij'].map((name) => [name, { default: text(300) as never }])) }),
      1000,
      1100,
    ],
  ];
  for (const [what, schema, least, most] of table)
    it(`counts ${what}`, () => {
      const factor = workFactorOf(schema);
      assert.ok(factor >= least && factor <= most, String(factor));
    });
});
