import assert from 'node:assert/strict';
import { parseJSON } from '../serialization/json.ts';
import { readObject, type FieldValidation } from '../serialization/read-object.ts';
import { jsonMediaType } from '../serialization/media-types.ts';
import { decode } from '../schema/decode.ts';
import { applyDefaults } from '../schema/default.ts';
import { orderFields } from '../schema/order-fields.ts';
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts';
import { structuralSchemaOf } from './structural-schema-of.ts';

const preserved = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const root = (properties: Record<string, JSONSchemaProps>): JSONSchemaProps => ({ type: 'object', properties });
const text = { type: 'string' };

function decoded(schema: JSONSchemaProps | undefined, object: object) {
  const { object: own, unknownFields } = decode(object, structuralSchemaOf(schema));
  return [own, unknownFields];
}

describe('decoding by the schema of a custom kind', () => {
  const cases: [string, JSONSchemaProps | undefined, object, object, string[]][] = [
    ['keeps everything without a schema', undefined, { a: { b: null } }, { a: { b: null } }, []],
    ['drops what is not specified', root({ a: text }), { a: 'x', b: 1, c: { d: 1 } }, { a: 'x' }, ['b', 'c']],
    ['keeps values of a wrong type', root({ a: text, l: { type: 'array', items: text } }), { a: { b: 1 }, l: 7 }, { a: {}, l: 7 }, ['a.b']],
    [
      'goes into lists and maps',
      root({ l: { type: 'array', items: root({ a: text }) }, m: { type: 'object', additionalProperties: root({ a: text }) } }),
      { l: [{ a: '1', b: 2 }, 3], m: { k: { a: '1', x: 2 } } },
      { l: [{ a: '1' }, 3], m: { k: { a: '1' } } },
      ['l[0].b', 'm.k.x'],
    ],
    [
      'keeps what is unknown where it is preserved, and prunes what is specified there',
      root({ p: { ...preserved, properties: { in: root({ a: text }) } } }),
      { p: { x: { y: [{ z: null }] }, in: { a: '1', b: 2 } } },
      { p: { x: { y: [{ z: null }] }, in: { a: '1' } } },
      ['p.in.b'],
    ],
    [
      'drops nulls that are neither allowed nor defaulted',
      root({ a: text, b: { type: 'string', nullable: true }, c: { type: 'string', default: 'x' } }),
      { a: null, b: null, c: null },
      { b: null, c: null },
      [],
    ],
    [
      'keeps a member named __proto__ of a map',
      root({ m: { type: 'object', additionalProperties: text } }),
      parse('{"m":{"__proto__":"x"}}'),
      parse('{"m":{"__proto__":"x"}}'),
      [],
    ],
    ['drops one that is not specified', root({}), parse('{"__proto__":{"x":1}}'), {}, ['__proto__']],
    [
      'reads the metadata of embedded resources',
      root({ t: { ...preserved, 'x-kubernetes-embedded-resource': true } }),
      { t: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', nope: 1, labels: { a: 'b' } }, spec: { x: 1 } } },
      { t: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: { a: 'b' } }, spec: { x: 1 } } },
      ['t.metadata.nope'],
    ],
  ];
  for (const [what, schema, object, kept, unknown] of cases) it(what, () => assert.deepEqual(decoded(schema, object), [kept, unknown]));

  it('reports unknown metadata first', () => {
    const [object, unknown] = decoded(root({ a: text }), { b: 1, a: 'x', metadata: { name: 'n', nope: {} } });
    assert.deepEqual(unknown, ['metadata.nope', 'b']);
    assert.equal((object as { metadata: { name: string } }).metadata.name, 'n');
  });

  const malformed: [object, string][] = [
    [{ metadata: 'x' }, 'json: cannot unmarshal string into Go value of type v1.ObjectMeta'],
    [{ metadata: { labels: { a: 1 } } }, 'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string'],
    [{ t: { kind: 5 } }, 't.kind: Invalid value: 5: must be a string'],
    [
      { t: { metadata: { name: 5 } } },
      't.metadata: Invalid value: {"name":5}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
    ],
  ];
  for (const [object, message] of malformed)
    it(`refuses ${JSON.stringify(object)}`, () =>
      assert.throws(() => decoded(root({ t: { ...preserved, 'x-kubernetes-embedded-resource': true } }), object), { message }));

  it('reads what is deeper than any schema', () => {
    const depth = 900;
    const deep = parse(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    assert.deepEqual(decoded(undefined, deep)[1], []);
  });
});

function parse(json: string): object {
  return parseJSON(new TextEncoder().encode(json)).value as object;
}

describe('reading a custom object', () => {
  const read = (fieldValidation: FieldValidation) =>
    readObject(new TextEncoder().encode('{"spec":{"b":1,"a":"x","a":"y","c":1.50},"kind":"T","apiVersion":"e.x/v1"}'), jsonMediaType, {
      expected: { group: 'e.x', version: 'v1', kind: 'T' },
      schema: structuralSchemaOf(root({ spec: root({ a: text, c: { type: 'number' } }) })),
      fieldValidation,
      isRegistered: () => false,
    });
  it('warns of unknown and repeated fields', () => {
    const { object, warnings } = read('Warn');
    assert.deepEqual(warnings, ['duplicate field "spec.a"', 'unknown field "spec.b"']);
    assert.deepEqual(object['spec'], { a: 'y', c: 1.5 });
  });
  it('is silent when asked to be', () => assert.deepEqual(read('Ignore').warnings, []));
  it('refuses them strictly', () =>
    assert.throws(() => read('Strict'), {
      message: 'T in version "v1" cannot be handled as a T: strict decoding error: duplicate field "spec.a", unknown field "spec.b"',
    }));
});

describe('the defaults of a custom kind', () => {
  const cases: [string, Record<string, JSONSchemaProps>, object, object][] = [
    ['where a field is absent', { a: { ...text, default: 'x' } }, {}, { a: 'x' }],
    ['not where it is there', { a: { ...text, default: 'x' } }, { a: '' }, { a: '' }],
    ['for null that is not allowed', { a: { ...text, default: 'x' } }, { a: null }, { a: 'x' }],
    ['not for null that is', { a: { ...text, default: 'x', nullable: true } }, { a: null }, { a: null }],
    ['within a default', { s: { ...root({ n: { type: 'integer', default: 1 } }), default: { other: 1 } } }, {}, { s: { n: 1 } }],
    ['not within what is absent', { s: root({ n: { type: 'integer', default: 1 } }) }, {}, {}],
    [
      'in lists and maps',
      {
        l: { type: 'array', items: root({ n: { type: 'integer', default: 1 } }) },
        m: { type: 'object', additionalProperties: { type: 'integer', default: 5 } },
      },
      { l: [{}, { n: 2 }], m: { a: null, b: 1 } },
      { l: [{ n: 1 }, { n: 2 }], m: { a: 5, b: 1 } },
    ],
  ];
  for (const [what, properties, object, expected] of cases)
    it(`are set ${what}`, () => {
      const schema = structuralSchemaOf(root(properties));
      const { object: own } = decode(object, schema);
      applyDefaults(own, schema);
      assert.deepEqual(own, expected);
    });
  it('are shared by no two objects', () => {
    const schema = structuralSchemaOf(root({ s: { ...preserved, default: { l: [] } } }));
    const [first, second] = [{}, {}] as { s?: { l: unknown[] } }[];
    for (const object of [first, second]) applyDefaults(object as object as Record<string, unknown>, schema);
    first?.s?.l.push(1);
    assert.deepEqual(second?.s, { l: [] });
  });
});

describe('the order of a custom object', () => {
  it('is that of its keys', () => {
    const object = { kind: 'T', apiVersion: 'e.x/v1', metadata: { name: 'a', annotations: {} }, data: [{ b: 1, a: 2 }] };
    assert.equal(
      JSON.stringify(orderFields(object, structuralSchemaOf(undefined))),
      '{"apiVersion":"e.x/v1","data":[{"a":2,"b":1}],"kind":"T","metadata":{"annotations":{},"name":"a"}}',
    );
  });
  it('leaves alone what is in order', () => {
    const object = { a: 1, b: { c: [{ d: 1 }] } };
    assert.equal(orderFields(object, structuralSchemaOf(undefined)), object);
  });
});
