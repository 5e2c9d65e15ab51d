import assert from 'node:assert/strict';
import { structuralSchemaOf } from '../structural-schema-of.ts';
import type { CustomResourceSubresourceScale, JSONSchemaProps } from '../../types/apiextensions-v1.ts';
import { formatFieldError, type FieldError } from '../../validation/field-error.ts';
import { createObjectValidator, finalizerWarnings, type ObjectValidator } from './validate-custom-object.ts';

function validatorOf(properties: Record<string, JSONSchemaProps>, scale?: CustomResourceSubresourceScale): ObjectValidator {
  const openAPIV3Schema: JSONSchemaProps = { type: 'object', properties };
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...(scale ? { subresources: { scale } } : {}) };
  return createObjectValidator(version, structuralSchemaOf(openAPIV3Schema), undefined);
}

const objectOf = (fields: object) => ({ apiVersion: 'e.x/v1', kind: 'T', metadata: { name: 'a' }, ...fields });
const textsOf = (errors: readonly FieldError[]) =>
  errors.map((error) => `${error.type.slice('FieldValue'.length)} ${formatFieldError(error)}`);

describe('the validation of a custom object', () => {
  // Recorded from kube-apiserver v1.32; lists and objects are shown as v1.36 shows them.
  const cases: [string, Record<string, JSONSchemaProps>, object, string[]][] = [
    ['nothing wrong', { a: { type: 'string' } }, { a: 'x' }, []],
    [
      'a wrong type',
      { a: { type: 'string' } },
      { a: 1 },
      ['TypeInvalid a: Invalid value: "integer": a in body must be of type string: "integer"'],
    ],
    [
      'a fraction for an integer',
      { a: { type: 'integer' } },
      { a: 1.5 },
      ['TypeInvalid a: Invalid value: "number": a in body must be of type integer: "number"'],
    ],
    [
      'neither integer nor string',
      { a: { 'x-kubernetes-int-or-string': true } },
      { a: [] },
      ['TypeInvalid a: Invalid value: "array": a in body must be of type integer,string: "array"'],
    ],
    [
      'null',
      { a: { type: 'array', items: { type: 'string' } } },
      { a: [null] },
      ['TypeInvalid a[0]: Invalid value: "null": a[0] in body must be of type string: "null"'],
    ],
    ['null that is allowed', { a: { type: 'string', nullable: true } }, { a: null }, []],
    [
      'an enumeration',
      { a: { type: 'string', enum: ['x', 'y'] } },
      { a: 'z' },
      ['NotSupported a: Unsupported value: "z": supported values: "x", "y"'],
    ],
    ['length', { a: { type: 'string', maxLength: 3 } }, { a: 'abcd' }, ['TooLong a: Too long: may not be more than 3 bytes']],
    ['length in characters', { a: { type: 'string', maxLength: 3 } }, { a: 'ä𝄞€' }, []],
    [
      'shortness',
      { a: { type: 'string', minLength: 2 } },
      { a: '𝄞' },
      ['Invalid a: Invalid value: "𝄞": a in body should be at least 2 chars long'],
    ],
    [
      'a pattern',
      { a: { type: 'string', pattern: '^a+$' } },
      { a: 'b' },
      ['Invalid a: Invalid value: "b": a in body should match \'^a+$\''],
    ],
    [
      'a format',
      { a: { type: 'string', format: 'ipv4' } },
      { a: '1.2.3' },
      ['TypeInvalid a: Invalid value: "1.2.3": a in body must be of type ipv4: "1.2.3"'],
    ],
    ['a format that nobody knows', { a: { type: 'string', format: 'shoe-size' } }, { a: 'x' }, []],
    [
      'minimum',
      { a: { type: 'integer', minimum: 3 } },
      { a: 2 },
      ['Invalid a: Invalid value: 2: a in body should be greater than or equal to 3'],
    ],
    [
      'exclusive maximum',
      { a: { type: 'number', maximum: 2.5, exclusiveMaximum: true } },
      { a: 2.5 },
      ['Invalid a: Invalid value: 2.5: a in body should be less than 2.5'],
    ],
    [
      'a large limit',
      { a: { type: 'number', maximum: 1e6 } },
      { a: 1e6 + 0.5 },
      ['Invalid a: Invalid value: 1000000.5: a in body should be less than or equal to 1e+06'],
    ],
    [
      'multiples',
      { a: { type: 'integer', multipleOf: 3 } },
      { a: 7 },
      ['Invalid a: Invalid value: 7: a in body should be a multiple of 3'],
    ],
    [
      'too many items',
      { a: { type: 'array', maxItems: 1, items: { type: 'integer' } } },
      { a: [1, 2] },
      ['TooMany a: Too many: 2: must have at most 1 item'],
    ],
    [
      'too few properties',
      { a: { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } } },
      { a: {} },
      ['Invalid a: Invalid value: 0: a in body should have at least 1 properties'],
    ],
    [
      'a key of a map',
      { a: { type: 'object', additionalProperties: { type: 'string' } } },
      { a: { 'k.l': 1 } },
      ['TypeInvalid a.k.l: Invalid value: "integer": a.k.l in body must be of type string: "integer"'],
    ],
    [
      'a missing field',
      { a: { type: 'object', required: ['b'], properties: { b: { type: 'string' } } } },
      { a: {} },
      ['Required a.b: Required value'],
    ],
    [
      'no alternative',
      { a: { type: 'string', anyOf: [{ maxLength: 1 }, { pattern: '^z' }] } },
      { a: 'abc' },
      [
        'Invalid <nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        'TooLong a: Too long: may not be more than 1 byte',
      ],
    ],
    [
      'two alternatives at once',
      { a: { type: 'integer', oneOf: [{ minimum: 1 }, { minimum: 2 }] } },
      { a: 3 },
      ['Invalid <nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    [
      'one of all',
      { a: { type: 'integer', allOf: [{ minimum: 1 }, { minimum: 5 }] } },
      { a: 3 },
      [
        'Invalid a: Invalid value: 3: a in body should be greater than or equal to 5',
        'Invalid <nil>: Invalid value: "": "a" must validate all the schemas (allOf)',
      ],
    ],
    [
      'what must not be',
      { a: { type: 'integer', not: { minimum: 1 } } },
      { a: 3 },
      ['Invalid <nil>: Invalid value: "": "a" must not validate the schema (not)'],
    ],
    [
      'a set',
      { a: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } } },
      { a: ['x', 'y', 'x', 'x'] },
      ['Duplicate a[2]: Duplicate value: "x"'],
    ],
    [
      'keys of a list',
      {
        a: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['n'],
          items: { type: 'object', properties: { n: { type: 'string' } } },
        },
      },
      { a: [{ n: 'x' }, {}, { n: 'x' }, {}] },
      ['Duplicate a[2]: Duplicate value: {"n":"x"}', 'Duplicate a[3]: Duplicate value: {}'],
    ],
    [
      'an embedded resource',
      { a: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } },
      { a: { kind: '', metadata: { name: 'a/b' } } },
      [
        'Required a.apiVersion: Required value: must not be empty',
        'Invalid a.kind: Invalid value: "": must not be empty',
        'Invalid a.metadata.name: Invalid value: "a/b": may not contain \'/\'',
      ],
    ],
  ];
  for (const [what, properties, fields, errors] of cases)
    it(what, () => assert.deepEqual(textsOf(validatorOf(properties).validate(objectOf(fields))), errors));

  it('counts replicas', () => {
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
    const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const validator = validatorOf({ spec: any, status: any }, scale);
    assert.deepEqual(textsOf(validator.validate(objectOf({ spec: { replicas: -1 }, status: { replicas: 2 ** 31 } }))), [
      'Invalid .spec.replicas: Invalid value: -1: should be a non-negative integer',
      'Invalid .status.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647',
    ]);
    assert.deepEqual(textsOf(validator.validateStatusUpdate(objectOf({ spec: { replicas: -1 } }), objectOf({}))), []);
  });

  it('says no more than anybody reads', () => {
    const validator = validatorOf({ a: { type: 'array', items: { type: 'string' } } });
    const errors = validator.validate(objectOf({ a: Array.from({ length: 100_000 }, (_, index) => index) }));
    assert.equal(errors.length, 1000);
  });

  it('finds no rules in the prototype', () => {
    const validator = validatorOf({ a: { type: 'object', required: ['constructor'], additionalProperties: { type: 'string' } } });
    assert.deepEqual(textsOf(validator.validate(objectOf({ a: {} }))), ['Required a.constructor: Required value']);
  });
});

describe('the validation of an update of a custom object', () => {
  const list: JSONSchemaProps = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['n'],
    items: { type: 'object', properties: { n: { type: 'string' }, v: { type: 'integer', minimum: 5 } } },
  };
  const cases: [string, Record<string, JSONSchemaProps>, object, object, string[]][] = [
    ['tolerates what it was', { a: { type: 'integer', minimum: 5 }, b: { type: 'string' } }, { a: 1, b: 'x' }, { a: 1, b: 'y' }, []],
    [
      'refuses what is new',
      { a: { type: 'integer', minimum: 5 } },
      { a: 1 },
      { a: 2 },
      ['Invalid a: Invalid value: 2: a in body should be greater than or equal to 5'],
    ],
    [
      'knows elements by their keys',
      { a: list },
      { a: [{ n: 'x', v: 1 }] },
      {
        a: [
          { n: 'y', v: 7 },
          { n: 'x', v: 1 },
        ],
      },
      [],
    ],
    [
      'and no others',
      { a: { type: 'array', items: { type: 'integer', minimum: 5 } } },
      { a: [1] },
      { a: [1, 7] },
      ['Invalid a[0]: Invalid value: 1: a[0] in body should be greater than or equal to 5'],
    ],
    ['tolerates what an alternative forbids', { a: { type: 'integer', not: { minimum: 1 } } }, { a: 3 }, { a: 3, b: 1 }, []],
    [
      'tolerates elements that were there twice',
      { a: list },
      {
        a: [
          { n: 'x', v: 5 },
          { n: 'x', v: 6 },
        ],
      },
      {
        a: [
          { n: 'x', v: 5 },
          { n: 'x', v: 7 },
        ],
      },
      [],
    ],
  ];
  for (const [what, properties, old, fields, errors] of cases)
    it(what, () => assert.deepEqual(textsOf(validatorOf(properties).validateUpdate(objectOf(fields), objectOf(old))), errors));

  it('tolerates nothing in a status', () => {
    const validator = validatorOf({ status: { type: 'object', properties: { a: { type: 'integer', minimum: 5 } } } });
    const object = objectOf({ status: { a: 1 } });
    assert.deepEqual(textsOf(validator.validateStatusUpdate(object, object)), [
      'Invalid status.a: Invalid value: 1: a in body should be greater than or equal to 5',
    ]);
  });
});

describe('the warnings about finalizers', () => {
  const withFinalizers = (...finalizers: string[]) => ({ metadata: { name: 'a', finalizers } });
  it('are of new ones without a domain or a path', () =>
    assert.deepEqual(finalizerWarnings(withFinalizers('a', 'e.x', 'e.x/y', 'orphan', 'old'), withFinalizers('old')), [
      'metadata.finalizers: "a": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
      'metadata.finalizers: "e.x": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers',
    ]));
});
