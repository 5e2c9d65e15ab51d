import assert from 'node:assert/strict';
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions-v1.ts';
import { formatFieldError } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';
import { validateVersionSchema } from './validate-version-schema.ts';

const errorsOf = (schema: JSONSchemaProps, hasStatus = false) =>
  validateVersionSchema(schema, hasStatus, FieldPath.root.child('s')).map((error) => formatFieldError(error));
const root = (properties: Record<string, JSONSchemaProps>, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...more,
});
const text: JSONSchemaProps = { type: 'string' };
const ruled = (schema: JSONSchemaProps, ...rules: (string | ValidationRule)[]): JSONSchemaProps => ({
  ...schema,
  'x-kubernetes-validations': rules.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
});
const short: JSONSchemaProps = { type: 'string', maxLength: 10 };
const factor = '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

describe('the validation of a schema', () => {
  // The texts are those of kube-apiserver v1.32, with which generated schemas were compared.
  const cases: [string, JSONSchemaProps, string[]][] = [
    ['nothing', root({ a: text }), []],
    ['no type at the root', {}, ['s.type: Required value: must not be empty at the root']],
    ['another type at the root', { type: 'string' }, ['s.type: Invalid value: "string": must be object at the root']],
    ['null at the root', root({}, { nullable: true }), ['s.nullable: Forbidden: nullable cannot be true at the root']],
    [
      'a map at the root',
      { type: 'object', additionalProperties: text },
      ['s.additionalProperties: Forbidden: must not be used at the root'],
    ],
    ['a field without a type', root({ a: {} }), ['s.properties[a].type: Required value: must not be empty for specified object fields']],
    [
      'elements without a type',
      root({ a: { type: 'array', items: {} } }),
      ['s.properties[a].items.type: Required value: must not be empty for specified array items'],
    ],
    ['a list without elements', root({ a: { type: 'array' } }), ['s.properties[a].items: Required value: must be specified']],
    [
      'a type that does not exist',
      root({ a: { type: 'text' } }),
      ['s.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"'],
    ],
    [
      'structure in an alternative',
      root({ a: { type: 'object', anyOf: [{ type: 'object', description: 'x', properties: { b: { nullable: true } } }] } }),
      [
        's.properties[a].anyOf[0].description: Forbidden: must be empty to be structural',
        's.properties[a].anyOf[0].properties[b].nullable: Forbidden: must be false to be structural',
        's.properties[a].anyOf[0].type: Forbidden: must be empty to be structural',
      ],
    ],
    [
      'the pattern of integers and strings',
      root({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
      [],
    ],
    [
      'rules at the root for what is not specified',
      root({}, { anyOf: [{ properties: { b: { maxLength: 1 } } }] }),
      ['s.properties[b]: Required value: because it is defined in s.anyOf[0].properties[b]'],
    ],
    [
      'too much about metadata',
      root({ metadata: { type: 'object', properties: { labels: { type: 'object', additionalProperties: text } } } }),
      [
        's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
      ],
    ],
    [
      'a bad pattern',
      root({ a: { type: 'string', pattern: '(' } }),
      [
        's.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
      ],
    ],
    [
      'unique elements',
      root({ a: { type: 'array', items: text, uniqueItems: true } }),
      ['s.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic'],
    ],
    ['a reference', root({ a: { type: 'object', $ref: '#/x' } }), ['s.properties[a].$ref: Forbidden: $ref is not supported']],
    [
      'a list of keys that its elements lack',
      root({ a: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: root({}) } }),
      ['s.properties[a].x-kubernetes-list-map-keys: Invalid value: ["k"]: entries must all be names of item properties'],
    ],
    [
      'a key that may be absent',
      root({ a: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: root({ k: text }) } }),
      [
        's.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ],
    ],
    [
      'a default of another type',
      root({ a: { ...text, default: 1 } }),
      ['s.properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"'],
    ],
    [
      'a default with an unknown field',
      root({ a: { ...root({ b: text }), default: { c: 1 } } }),
      ['s.properties[a].default: Invalid value: {"c":1}: must not have unknown fields'],
    ],
    [
      'a default in metadata',
      root({ metadata: { type: 'object', properties: { name: { ...text, default: 'x' } } } }),
      ['s.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata'],
    ],
    [
      'a rule that does not compile',
      root({ a: ruled(short, 'self.nope == 1') }),
      [
        's.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.nope == 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: type \'string\' does not support field selection\n | self.nope == 1\n | ....^',
      ],
    ],
    [
      'a rule that is no condition',
      root({ a: ruled(short, 'self') }),
      [
        's.properties[a].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool',
      ],
    ],
    [
      'a rule that may cost too much',
      root({ a: { type: 'array', items: ruled(text, 'self.matches("^(a|b)*$")') } }),
      [
        `s.properties[a].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${factor}`,
        's.properties[a].items.x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
        `s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${factor}`,
      ],
    ],
    [
      'an old value that cannot be found',
      root({ a: { type: 'array', maxItems: 5, items: ruled(short, 'self == oldSelf') } }),
      [
        's.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[a]',
      ],
    ],
    [
      'texts of rules',
      root({
        a: ruled(
          short,
          { rule: '' },
          { rule: 'true', message: '\n' },
          { rule: 'true', fieldPath: '.x' },
          { rule: 'true', optionalOldSelf: true },
        ),
      }),
      [
        's.properties[a].x-kubernetes-validations[0].rule: Required value: rule is not specified',
        's.properties[a].x-kubernetes-validations[1].message: Invalid value: "\\n": message must be non-empty if specified',
        's.properties[a].x-kubernetes-validations[2].fieldPath: Invalid value: ".x": fieldPath must be a valid path',
      ],
    ],
  ];
  for (const [what, schema, expected] of cases) it(what, () => assert.deepEqual(errorsOf(schema), expected));

  it('lets a status stand alone', () =>
    assert.match(
      errorsOf(root({ status: root({}) }, { anyOf: [{ required: ['status'] }] }), true)[0] ?? '',
      /^s: Invalid value: .*only \[Description Type .* fields are allowed at the root/,
    ));
});
