import assert from 'node:assert/strict';
import { ProtobufReader } from '../protobuf/wire.ts';
import { encodeOpenAPIV3 } from './openapi-v3-protobuf.ts';

/** The values at a path of field numbers. */
function at(bytes: Uint8Array, ...path: readonly number[]): Uint8Array[] {
  const [first, ...rest] = path;
  if (first === undefined) return [bytes];
  const reader = new ProtobufReader(bytes);
  const found: Uint8Array[] = [];
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (number !== first || type !== 2) reader.skip(type);
    else found.push(...at(reader.bytes(), ...rest));
  }
  return found;
}

const texts = (values: readonly Uint8Array[]) => values.map((value) => Buffer.from(value).toString());

describe('OpenAPI v3 in protobuf', () => {
  const schemas = {
    A: {
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'array', items: { allOf: [{ $ref: '#/components/schemas/B' }], default: {} } },
        b: { type: 'string', default: 'x' },
      },
      'x-kubernetes-list-type': 'map',
    },
    B: { oneOf: [{ type: 'integer' }, { type: 'string' }], enum: ['x'] },
  };
  const parameters = [{ in: 'query', name: 'q', schema: { type: 'string', uniqueItems: true } }];
  const get = {
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } } },
  };
  const bytes = encodeOpenAPIV3(
    Buffer.from(JSON.stringify({ openapi: '3.0.0', paths: { '/x': { get, parameters } }, components: { schemas } })),
  );
  const namedSchema = [5, 1, 1];

  it('puts schemas where gnostic reads them', () => {
    assert.deepEqual(texts(at(bytes, 1)), ['3.0.0']);
    assert.deepEqual(texts(at(bytes, ...namedSchema, 1)), ['A', 'B']);
    const schema = [...namedSchema, 2, 1];
    assert.deepEqual(texts(at(bytes, ...schema, 25)), ['object']);
    assert.deepEqual(texts(at(bytes, ...schema, 23)), ['a']);
    assert.deepEqual(texts(at(bytes, ...schema, 31, 1, 1)), ['a', 'b']);
    assert.deepEqual(texts(at(bytes, ...schema, 31, 1, 2, 1, 33, 3)), ['x']);
    const items = [...schema, 31, 1, 2, 1, 30, 1, 1];
    assert.deepEqual(texts(at(bytes, ...items, 26, 2, 1)), ['#/components/schemas/B']);
    assert.deepEqual(texts(at(bytes, ...items, 33)), ['']);
    assert.deepEqual(texts(at(bytes, ...schema, 27, 1, 25)), ['integer', 'string']);
    assert.deepEqual(texts(at(bytes, ...schema, 24, 2)), ['x\n']);
    assert.deepEqual(texts(at(bytes, ...schema, 36, 1)), ['x-kubernetes-list-type']);
  });

  it('puts operations where gnostic reads them', () => {
    const item = [4, 1, 2];
    assert.deepEqual(texts(at(bytes, 4, 1, 1)), ['/x']);
    assert.deepEqual(texts(at(bytes, ...item, 13, 1, 1)), ['q']);
    assert.deepEqual(texts(at(bytes, ...item, 13, 1, 10, 1, 25)), ['string']);
    const response = [...item, 4, 8, 2];
    assert.deepEqual(texts(at(bytes, ...response, 1)), ['200']);
    assert.deepEqual(texts(at(bytes, ...response, 2, 1, 3, 1, 1)), ['application/json']);
    assert.deepEqual(texts(at(bytes, ...response, 2, 1, 3, 1, 2, 1, 2, 1)), ['#/components/schemas/A']);
  });

  it('refuses what it has no place for', () =>
    assert.throws(() => encodeOpenAPIV3(Buffer.from('{"nope":1}')), /a field nope that has no place/));
});
