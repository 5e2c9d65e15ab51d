import assert from 'node:assert/strict';
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions-v1.ts';
import { type FieldError, formatFieldError } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';
import { structuralSchemaOf } from '../structural-schema-of.ts';
import { Correlation } from '../validation/correlation.ts';
import { ruleTreeOf } from './rule-tree.ts';
import { resolveSchemaPath } from './schema-path.ts';
import { validateRules } from './validate-rules.ts';

function violations(props: JSONSchemaProps, object: unknown, old?: unknown, isRatcheting = false) {
  const tree = ruleTreeOf(props, true);
  assert.ok(tree);
  const correlation = isRatcheting ? new Correlation(object, old, structuralSchemaOf(props)) : undefined;
  return validateRules(tree, object, old, correlation, FieldPath.root);
}

const textsOf = (errors: readonly FieldError[]) =>
  errors.map((error) => `${error.type.slice('FieldValue'.length)} ${formatFieldError(error)}`);
const rules = (...list: (string | ValidationRule)[]) => ({
  'x-kubernetes-validations': list.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
});
const root = (properties: Record<string, JSONSchemaProps>, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...more,
});
const integer: JSONSchemaProps = { type: 'integer' };

describe('the rules of a custom kind', () => {
  // The texts are those of kube-apiserver v1.32, with which generated rules were compared.
  const cases: [string, JSONSchemaProps, object, object | undefined, string[]][] = [
    ['hold', root({ a: integer }, rules('self.a > 1')), { a: 2 }, undefined, []],
    [
      'are told by their text',
      root({ a: { ...integer, ...rules('self > 1') } }),
      { a: 1 },
      undefined,
      ['Invalid a: Invalid value: "integer": failed rule: self > 1'],
    ],
    [
      'are told by their message',
      root({ a: { ...integer, ...rules({ rule: 'self > 1', message: ' no ' }) } }),
      { a: 1 },
      undefined,
      ['Invalid a: Invalid value: "integer": no'],
    ],
    [
      'are told by an expression',
      root({ a: { ...integer, ...rules({ rule: 'self > 1', messageExpression: '"is " + string(self)' }) } }),
      { a: 1 },
      undefined,
      ['Invalid a: Invalid value: "integer": is 1'],
    ],
    [
      'are told by their message where the expression gives none',
      root({ a: { ...integer, ...rules({ rule: 'self > 1', message: 'no', messageExpression: '"a\\nb"' }) } }),
      { a: 1 },
      undefined,
      ['Invalid a: Invalid value: "integer": no'],
    ],
    [
      'name a field and a reason',
      root({
        s: root(
          { m: { type: 'object', additionalProperties: integer } },
          rules({ rule: 'false', fieldPath: ".m['x']", reason: 'FieldValueForbidden', message: 'no' }),
        ),
      }),
      { s: { m: {} } },
      undefined,
      ['Forbidden s.m[x]: Forbidden: no'],
    ],
    [
      'of a missing value',
      root({}, rules({ rule: 'false', reason: 'FieldValueRequired', message: 'no' })),
      {},
      undefined,
      ['Required <nil>: Required value: no'],
    ],
    [
      'of a value that is there twice',
      root({ a: { ...integer, ...rules({ rule: 'false', reason: 'FieldValueDuplicate' }) } }),
      { a: 1 },
      undefined,
      ['Duplicate a: Duplicate value: "integer"'],
    ],
    ['are not evaluated for null', root({ a: { ...integer, nullable: true, ...rules('false') } }), { a: null }, undefined, []],
    [
      'fail for an absent field',
      root({ a: integer }, rules('self.a > 1')),
      {},
      undefined,
      ['Invalid <nil>: Invalid value: "object": no such key: a evaluating rule: self.a > 1'],
    ],
    ['see the name of the object', root({}, rules('self.metadata.name == "x"')), { metadata: { name: 'x' } }, undefined, []],
    [
      'go into lists and maps',
      root({
        l: { type: 'array', items: { ...integer, ...rules('self > 1') } },
        m: { type: 'object', additionalProperties: { ...integer, ...rules('self > 1') } },
      }),
      { l: [2, 1], m: { k: 1 } },
      undefined,
      ['Invalid l[1]: Invalid value: "integer": failed rule: self > 1', 'Invalid m[k]: Invalid value: "integer": failed rule: self > 1'],
    ],
    ['that read the old value wait for one', root({ a: { ...integer, ...rules('self >= oldSelf') } }), { a: 1 }, undefined, []],
    [
      'compare with the old value',
      root({ a: { ...integer, ...rules('self >= oldSelf') } }),
      { a: 1 },
      { a: 2 },
      ['Invalid a: Invalid value: "integer": failed rule: self >= oldSelf'],
    ],
    [
      'may be asked for without one',
      root({ a: { ...integer, ...rules({ rule: 'oldSelf.hasValue() || self == 1', optionalOldSelf: true }) } }),
      { a: 2 },
      undefined,
      ['Invalid a: Invalid value: "integer": failed rule: oldSelf.hasValue() || self == 1'],
    ],
    [
      'find old elements by their keys',
      root({
        l: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['n'],
          items: root({ n: { type: 'string' }, v: { ...integer, ...rules('self >= oldSelf') } }),
        },
      }),
      {
        l: [
          { n: 'y', v: 1 },
          { n: 'x', v: 1 },
        ],
      },
      { l: [{ n: 'x', v: 2 }] },
      ['Invalid l[1].v: Invalid value: "integer": failed rule: self >= oldSelf'],
    ],
    [
      'fail for a type that was tolerated',
      root({ a: { ...integer, ...rules('self * 2 > 1') } }),
      { a: 'x' },
      undefined,
      ['Invalid a: Invalid value: "integer": invalid data, expected int, got string evaluating rule: self * 2 > 1'],
    ],
  ];
  for (const [what, props, object, old, expected] of cases)
    it(what, () => assert.deepEqual(textsOf(violations(props, object, old).errors), expected));

  it('are tolerated for what an update does not change, with a warning', () => {
    const props = root({ a: { ...integer, ...rules('self > 1') }, b: { ...integer, ...rules('self == oldSelf || self != 1') } });
    const { errors, tolerated } = violations(props, { a: 1, b: 1 }, { a: 1, b: 2 }, true);
    assert.deepEqual(textsOf(errors), ['Invalid b: Invalid value: "integer": failed rule: self == oldSelf || self != 1']);
    assert.deepEqual(textsOf(tolerated), ['Invalid a: Invalid value: "integer": failed rule: self > 1']);
  });

  it('end when they cost too much', () => {
    const list: JSONSchemaProps = { type: 'array', items: integer };
    const nested = 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))';
    const object = { l: Array.from({ length: 300 }, () => 1), m: 1 };
    const { errors } = violations(root({ l: { ...list, ...rules(nested) }, m: { ...integer, ...rules('false') } }), object);
    assert.deepEqual(textsOf(errors), [
      `Invalid l: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${nested}`,
    ]);
  });

  it('end when all together cost too much', () => {
    const costly = 'self.all(a, self.all(b, a + b >= 0))';
    const props = root({ l: { type: 'array', items: integer, ...rules(...Array.from({ length: 40 }, () => costly)) } });
    const { errors } = violations(props, { l: Array.from({ length: 250 }, () => 1) });
    assert.deepEqual(textsOf(errors), [
      'Invalid l: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run',
    ]);
  });
});

describe('a path through a schema', () => {
  const schema = root({ a: root({ 'b.c': integer, "d'e": integer }), m: { type: 'object', additionalProperties: root({ x: integer }) } });
  const cases: [string, string][] = [
    ['.a', 'a'],
    [".a['b.c']", 'a.b.c'],
    [".a['d\\'e']", "a.d'e"],
    [".m['k'].x", 'm[k].x'],
    ['.m.k', 'm[k]'],
    ['.a.z', 'does not refer to a valid field'],
    ['a', 'expected [ or . but got: a'],
    ['.', 'unexpected end of JSON path'],
    ['.a[0]', 'expected single quoted string but got 0'],
    [".a['b.c'", 'unexpected end of JSON path'],
  ];
  for (const [text, expected] of cases)
    it(text, () => {
      const found = resolveSchemaPath(text, schema, { allowsSubscripts: true });
      assert.equal(found.ok ? found.path.toString() : found.problem, expected);
    });
});
