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
    ['a rule', items({ type: 'string', 'x-kubernetes-validations': [{ rule: 'self.size() < 5' }] }), 2, 3],
    ['a rule with a loop', items({ type: 'string', 'x-kubernetes-validations': [{ rule: "self.all(x, x != 'a')" }] }), 64, 65],
    ['a loop behind a blank', items({ type: 'string', 'x-kubernetes-validations': [{ rule: 'self.all\n (x, true)' }] }), 64, 65],
    ['a pattern of the object', items({ type: 'string', 'x-kubernetes-validations': [{ rule: 'self.matches(self)' }] }), 64, 66],
    ['a rule that searches a list', items({ type: 'string', 'x-kubernetes-validations': [{ rule: "self in ['a']" }] }), 64, 65],
    ['a pattern in a rule', items({ type: 'string', 'x-kubernetes-validations': [{ rule: "self.matches('(a{100}b){10}')" }] }), 500, 2000],
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
      const { perByte } = workFactorOf(schema);
      assert.ok(perByte >= least && perByte <= most, String(perByte));
    });

  it('counts defaults and the compiling of rules that an object has once apart from its length', () => {
    const fields = { flag: { type: 'boolean', default: false as never }, text: { type: 'string', default: text(500) as never } };
    assert.deepEqual(workFactorOf({ type: 'object', properties: { spec: { type: 'object', properties: fields } } }), {
      once: 507,
      perByte: 0,
    });
    assert.ok(workFactorOf(items({ type: 'string', 'x-kubernetes-validations': [{ rule: text(32_000) }] })).once > 32_768);
  });
});
