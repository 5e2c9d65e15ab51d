import assert from 'node:assert/strict';
import protobufjs from 'protobufjs';
import { decode } from '../../schema/decode.ts';
import { findKindSchema, getDefinitionSchema } from '../../schema/definition-schema.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import { packagesByAPIVersion, definitionTexts } from '../../schema/generated/definition-texts.ts';
import { frameProtobufWatchEvent, joinProtobufList, protobufListItem } from './lists-and-events.ts';
import { decodeMessage } from './message.ts';
import { decodeProtobuf, encodeProtobuf, readEnvelope } from './protobuf.ts';
import { ProtobufError } from './wire.ts';

/** Field numbers as upstream's .proto files have them, for an independent implementation. */
const { root } = protobufjs.parse(`
  syntax = "proto2";
  message Time { optional int64 seconds = 1; optional int32 nanos = 2; }
  message ObjectMeta { optional string name = 1; optional string namespace = 3; optional int64 generation = 7; optional Time creationTimestamp = 8; map<string, string> labels = 11; }
  message IntOrString { optional int64 type = 1; optional int32 intVal = 2; optional string strVal = 3; }
  message ServicePort { optional string name = 1; optional string protocol = 2; optional int32 port = 3; optional IntOrString targetPort = 4; }
  message ServiceSpec { repeated ServicePort ports = 1; map<string, string> selector = 2; optional string type = 4; }
  message Service { optional ObjectMeta metadata = 1; optional ServiceSpec spec = 2; }
  message Secret { optional ObjectMeta metadata = 1; map<string, bytes> data = 2; optional string type = 3; }
`);

const service = {
  kind: 'Service',
  apiVersion: 'v1',
  metadata: {
    name: 'web',
    namespace: 'd',
    generation: 9007199254740993n,
    creationTimestamp: '2025-01-02T03:04:05Z',
    labels: { a: 'b', __proto__x: 'y' },
  },
  spec: {
    ports: [
      { protocol: 'TCP', port: 80, targetPort: 'http' },
      { port: 443, targetPort: 8443 },
    ],
    selector: { app: 'web' },
    type: 'ClusterIP',
  },
  status: { loadBalancer: {} },
};

/** A value with every field of the schema set, nested to a depth, for round trips. */
function sample(schema: StructuralSchema, depth: number): unknown {
  switch (schema.format) {
    case 'quantity':
      return '1500m';
    case 'int-or-string':
      return depth % 2 === 0 ? 7 : '50%';
    case 'date-time':
      return '2025-01-02T03:04:05Z';
    case 'micro-time':
      return '2025-01-02T03:04:05.678901Z';
    case 'byte':
      return 'AAECAw==';
    case 'json-schema-or-bool':
      return depth % 2 === 0 ? true : { type: 'string' };
    case 'json-schema-or-array':
      return [{ type: 'string' }, { type: 'integer' }];
    case 'json-schema-or-string-array':
      return ['a', 'b'];
    case 'fields-v1':
    case 'raw-extension':
    case 'json':
      return { 'f:x': { deep: [1, 'two', null] } };
  }
  if (schema.type === 'string') return schema.enum?.[0] ?? 'text äöü';
  if (schema.type === 'integer') return schema.format === 'int64' ? -42 : 2147483647;
  if (schema.type === 'number') return 0.25;
  if (schema.type === 'boolean') return true;
  if (schema.type === 'array')
    return [sample(schema.items ?? { type: 'any' }, depth + 1), sample(schema.items ?? { type: 'any' }, depth + 2)];
  if (schema.additionalProperties)
    return { a: sample(schema.additionalProperties, depth + 1), b: sample(schema.additionalProperties, depth + 2) };
  if (depth > 12) return {};
  const fields = [...(schema.properties ?? [])].filter(
    ([name, property]) =>
      property.protobuf !== undefined &&
      !(depth > 5 && schema.name?.endsWith('JSONSchemaProps') === true && property.schema.type !== 'string' && name !== ''),
  );
  return Object.fromEntries(fields.map(([name, property]) => [name, sample(property.schema, depth + 1)]));
}

const podNamed = (name: string) => ({ kind: 'Pod', apiVersion: 'v1', metadata: { name } });

/** A CRD's schema in which `not` holds `not`, to a depth. */
function nestedSchemas(depth: number): Uint8Array {
  let message = new Uint8Array();
  for (let level = 0; level < depth; level++)
    message = Uint8Array.from(
      protobufjs.Writer.create()
        .uint32(28 * 8 + 2)
        .bytes(message)
        .finish(),
    );
  return message;
}

describe('protobuf', () => {
  it('writes what another implementation reads', () => {
    const { raw, apiVersion, kind } = readEnvelope(encodeProtobuf(service));
    assert.deepEqual([apiVersion, kind], ['v1', 'Service']);
    const message = root.lookupType('Service').toObject(root.lookupType('Service').decode(raw), { longs: String });
    assert.deepEqual(message['spec'], {
      ports: [
        { protocol: 'TCP', port: 80, targetPort: { type: '1', intVal: 0, strVal: 'http' } },
        { port: 443, targetPort: { type: '0', intVal: 8443, strVal: '' } },
      ],
      selector: { app: 'web' },
      type: 'ClusterIP',
    });
    assert.equal(message['metadata'].generation, '9007199254740993');
    assert.deepEqual(message['metadata'].creationTimestamp, { seconds: '1735787045', nanos: 0 });
  });

  it('reads what another implementation writes', () => {
    const type = root.lookupType('Secret');
    const raw = type
      .encode(type.fromObject({ metadata: { name: 's', labels: { k: 'v' } }, data: { a: 'AAEC', empty: '' }, type: 'Opaque' }))
      .finish();
    const unknown = protobufjs.Writer.create()
      .uint32(10)
      .fork()
      .uint32(10)
      .string('v1')
      .uint32(18)
      .string('Secret')
      .ldelim()
      .uint32(18)
      .bytes(raw)
      .finish();
    const bytes = Uint8Array.from([0x6b, 0x38, 0x73, 0, ...unknown]);
    assert.deepEqual(decodeProtobuf(bytes), {
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { name: 's', labels: { k: 'v' } },
      data: { a: 'AAEC', empty: '' },
      type: 'Opaque',
    });
  });

  for (const [apiVersion, packageName] of packagesByAPIVersion) {
    it(`carries every field of the kinds of ${apiVersion} there and back`, () => {
      const definitions = JSON.parse(definitionTexts.get(packageName) ?? '{}') as Record<string, { kind?: boolean }>;
      for (const kind of Object.keys(definitions).filter((name) => definitions[name]?.kind === true)) {
        const schema = findKindSchema(apiVersion, kind);
        assert.ok(schema, kind);
        const { object } = decode({ ...(sample(schema, 0) as object), kind, apiVersion }, schema);
        assert.deepEqual(decodeProtobuf(encodeProtobuf(object as { kind: string; apiVersion: string })), object, kind);
      }
    });
  }

  it('joins encoded objects into a list', () => {
    const items = ['a', 'b'].map((name) => protobufListItem(encodeProtobuf(podNamed(name))));
    const { size, parts } = joinProtobufList({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '7' } }, items);
    const bytes = Buffer.concat([...parts]);
    assert.equal(bytes.length, size);
    const list = decodeProtobuf(bytes);
    assert.deepEqual(list['metadata'], { resourceVersion: '7' });
    assert.deepEqual(
      (list['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name),
      ['a', 'b'],
    );
  });

  it('frames watch events', () => {
    const object = encodeProtobuf(service);
    const frame = frameProtobufWatchEvent('ADDED', object);
    assert.equal(new DataView(frame.buffer).getUint32(0), frame.length - 4);
    const { root: watch } = protobufjs.parse(
      'syntax = "proto2"; message Raw { optional bytes raw = 1; } message WatchEvent { optional string type = 1; optional Raw object = 2; }',
    );
    const event = watch.lookupType('WatchEvent').toObject(watch.lookupType('WatchEvent').decode(frame.subarray(4)));
    assert.equal(event['type'], 'ADDED');
    assert.deepEqual(Uint8Array.from(event['object'].raw), object);
  });

  it('refuses deep nesting', () => {
    const schema = getDefinitionSchema('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps');
    assert.equal(JSON.stringify(decodeMessage(nestedSchemas(3), schema)), '{"not":{"not":{"not":{}}}}');
    assert.throws(() => decodeMessage(nestedSchemas(2000), schema), new ProtobufError('exceeded max depth'));
  });

  const broken: [string, Uint8Array, RegExp][] = [
    ['no envelope', new TextEncoder().encode('{}'), /expected prefix \[107 56 115 0\]/],
    ['a message that ends early', encodeProtobuf(service).slice(0, -20), /unexpected end of message/],
    [
      'a kind that is not built in',
      encodeProtobuf({ apiVersion: 'example.com/v1', kind: 'Foo' }, findKindSchema('v1', 'Service')),
      /no kind "Foo" is registered for version "example.com\/v1"/,
    ],
    ['an endless number', Uint8Array.from([0x6b, 0x38, 0x73, 0, ...Array<number>(20).fill(0xff)]), /longer than 64 bits/],
  ];
  for (const [name, bytes, message] of broken) {
    it(`refuses ${name}`, () =>
      assert.throws(
        () => decodeProtobuf(bytes),
        (error) => error instanceof ProtobufError && message.test(error.message),
      ));
  }
});
