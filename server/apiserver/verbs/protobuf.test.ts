import assert from 'node:assert/strict';
import { readBody } from '../../../api/client/read-body.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { findKindSchema } from '../../../api/schema/definition-schema.ts';
import { parseJSON } from '../../../api/serialization/json.ts';
import { decodeProtobuf, encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { ProtobufReader } from '../../../api/serialization/protobuf/wire.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

const protobuf = 'application/vnd.kubernetes.protobuf';
const maps = '/api/v1/namespaces/default/configmaps';
const named = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { a: 'b' } }, data: { key: name } });
type Decoded = Record<string, unknown> & { readonly kind: string; readonly metadata: Readonly<Record<string, unknown>> };

/** Cuts length-delimited frames out of a watch. */
async function* framesOf(response: APIResponse): AsyncGenerator<{ type: string; object: Decoded }> {
  assert.ok(response.body.kind === 'stream');
  let pending = Buffer.alloc(0);
  for await (const chunk of response.body.chunks) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      yield readEvent(pending.subarray(4, end));
      pending = pending.subarray(end);
    }
  }
}

/** Kind and version of the empty list that a bookmark brings at the end of the initial events. */
function blueprintOf(bookmark: Decoded): unknown[] {
  const { 'k8s.io/initial-events-end': isEnd, 'kubernetes.io/initial-events-list-blueprint': blueprint = '' } = bookmark.metadata[
    'annotations'
  ] as Record<string, string>;
  assert.equal(isEnd, 'true');
  const { kind, apiVersion, items = [] } = decodeProtobuf(Buffer.from(blueprint, 'base64'));
  assert.deepEqual(items, []);
  return [kind, apiVersion];
}

/** A WatchEvent: its type, and a RawExtension that holds the object with its envelope. */
function readEvent(message: Uint8Array): { type: string; object: Decoded } {
  const event = fieldsOf(message);
  const { 1: object } = fieldsOf(event[2] ?? new Uint8Array());
  return { type: Buffer.from(event[1] ?? []).toString(), object: decodeProtobuf(object ?? new Uint8Array()) as Decoded };
}

function fieldsOf(message: Uint8Array): Record<number, Uint8Array> {
  const reader = new ProtobufReader(message);
  const fields: Record<number, Uint8Array> = {};
  while (!reader.isAtEnd) fields[reader.tag().number] = reader.bytes();
  return fields;
}

describe('answers in protobuf', () => {
  let server: TestAPIServer;
  let api: APICaller;
  const stop = new AbortController();
  const send = (method: string, target: string, accept = protobuf, body?: Uint8Array): Promise<APIResponse> => {
    const [path = '', query = ''] = target.split('?');
    const user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
    const headers = { 'user-agent': 'test', accept, ...(body ? { 'content-type': protobuf } : {}) };
    return server.transport({ method, path, query, headers, user, signal: stop.signal, ...(body ? { body } : {}) });
  };
  const ask = async (method: string, target: string, accept?: string, body?: Uint8Array) => {
    const { status, headers, body: answer } = await send(method, target, accept, body);
    const bytes = await readBody(answer);
    const type = headers['content-type'] ?? '';
    return { status, type, bytes, object: (type.startsWith(protobuf) ? decodeProtobuf(bytes) : parseJSON(bytes).value) as Decoded };
  };
  before(async () => {
    server = await startAPIServerInProcess({ logLimits: { entries: 4, heldBytes: 1024 * 1024 } });
    api = createAPICaller(server.transport);
    for (const name of ['a', 'b', 'c']) await api.post(maps, named(name));
  });
  after(async () => {
    stop.abort();
    await server.close();
  });

  for (const target of [`${maps}/a`, '/api/v1/namespaces/default', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin']) {
    it(`GET ${target} is what JSON says`, async () => {
      const { status, type, object } = await ask('GET', target);
      assert.deepEqual([status, type], [200, protobuf]);
      assert.deepEqual(object, (await ask('GET', target, 'application/json')).object);
    });
  }
  it('a list has the items and the metadata that JSON says', async () => {
    for (const target of [`${maps}?limit=2`, '/apis/rbac.authorization.k8s.io/v1/clusterroles']) {
      const { type, object } = await ask('GET', target);
      const { kind, metadata, items } = (await ask('GET', target, 'application/json')).object;
      const bare = (list: unknown) => (list as Decoded[]).map(({ kind: _, apiVersion: __, ...rest }) => rest);
      assert.deepEqual([type, object.kind, object.metadata], [protobuf, kind, metadata]);
      assert.deepEqual(bare(object['items']), bare(items));
    }
  });
  it('an object is encoded once', async () => {
    const answers = await Promise.all([send('GET', `${maps}/b`), send('GET', `${maps}/b`)]);
    const [one, two] = answers.map(({ body }) => (body.kind === 'bytes' ? body.bytes : undefined));
    assert.ok(one && one === two);
  });
  it('writes are answered so', async () => {
    const made = await ask('POST', maps, protobuf, encodeProtobuf(named('made')));
    assert.deepEqual([made.status, made.type, made.object['data']], [201, protobuf, { key: 'made' }]);
    assert.deepEqual(made.object, (await ask('GET', `${maps}/made`, 'application/json')).object);
    const gone = await ask('DELETE', `${maps}/made`);
    assert.deepEqual([gone.status, gone.type, gone.object.kind, gone.object['status']], [200, protobuf, 'Status', 'Success']);
  });
  it('failures are, too, and in JSON where nothing else is taken', async () => {
    const { status, type, object } = await ask('GET', `${maps}/none`);
    assert.deepEqual([status, type, object['code'], object['reason']], [404, protobuf, 404, 'NotFound']);
    assert.deepEqual(object['details'], { name: 'none', kind: 'configmaps' });
    const other = await ask('GET', `${maps}/none`, 'image/png, application/json;as=Table;g=meta.k8s.io;v=v1');
    assert.deepEqual([other.status, other.type], [404, 'application/json']);
  });
  it('metadata alone can be had', async () => {
    const as = (kind: string) => `${protobuf};as=${kind};g=meta.k8s.io;v=v1`;
    const one = await ask('GET', `${maps}/a`, as('PartialObjectMetadata'));
    assert.deepEqual(
      [one.object.kind, one.object.metadata['labels'], one.object['data']],
      ['PartialObjectMetadata', { a: 'b' }, undefined],
    );
    const { object } = await ask('GET', `${maps}?labelSelector=a`, as('PartialObjectMetadataList'));
    const items = object['items'] as Decoded[];
    assert.deepEqual([object.kind, items.map(({ metadata }) => metadata['name'])], ['PartialObjectMetadataList', ['a', 'b', 'c']]);
  });
  it('a Table is JSON', async () => {
    const as = 'as=Table;g=meta.k8s.io;v=v1';
    assert.equal((await ask('GET', maps, `${protobuf};${as},application/json;${as}`)).type, 'application/json');
    assert.equal((await ask('GET', maps, `${protobuf};${as}`)).status, 406);
  });
  it('discovery', async () => {
    for (const target of ['/apis', '/apis/apps', '/apis/apps/v1']) {
      const { type, object } = await ask('GET', target);
      assert.equal(type, protobuf);
      assert.deepEqual(object, (await ask('GET', target, 'application/json')).object);
    }
  });

  it('watches are frames with their length before them', async () => {
    const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const response = await send('GET', `${maps}?watch=1&${initial}`);
    assert.equal(response.headers['content-type'], `${protobuf};stream=watch`);
    const frames = framesOf(response);
    const next = async () => {
      const { value } = await frames.next();
      assert.ok(value);
      return value;
    };
    for (const name of ['a', 'b', 'c']) {
      const { type, object } = await next();
      assert.equal(type, 'ADDED');
      assert.deepEqual(object, (await ask('GET', `${maps}/${name}`, 'application/json')).object);
    }
    const bookmark = await next();
    assert.deepEqual([bookmark.type, bookmark.object.kind], ['BOOKMARK', 'ConfigMap']);
    assert.deepEqual(blueprintOf(bookmark.object), ['ConfigMapList', 'v1']);
    await api.delete(`${maps}/c`);
    const { type, object } = await next();
    assert.deepEqual([type, object.metadata['name']], ['DELETED', 'c']);
    await frames.return(undefined);
    const as = `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
    const ofMetadata = framesOf(await send('GET', `${maps}?watch=1&${initial}&fieldSelector=metadata.name%3Dc`, as));
    const { value } = await ofMetadata.next();
    assert.deepEqual(value && blueprintOf(value.object), ['PartialObjectMetadataList', 'meta.k8s.io/v1']);
    await ofMetadata.return(undefined);
  });
  it('a watch of metadata that fails says so in a frame', async () => {
    const revision = await server.storage.currentRevision();
    for (let index = 0; index < 10; index++) await api.patch(`${maps}/a`, 'merge', { data: { index: String(index) } });
    await server.storage.compact(await server.storage.currentRevision());
    const as = `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
    const now = framesOf(await send('GET', `${maps}?watch=1`, as));
    const first = await now.next();
    assert.deepEqual([first.value?.object.kind, first.value?.object.metadata['name']], ['PartialObjectMetadata', 'a']);
    await now.return(undefined);
    const past = framesOf(await send('GET', `${maps}?watch=1&resourceVersion=${revision}`, as));
    const { value } = await past.next();
    assert.deepEqual([value?.type, value?.object.kind, value?.object['code']], ['ERROR', 'Status', 410]);
    assert.ok((await past.next()).done);
  });
  it('what upstream has stored in protobuf is read', async () => {
    const object = { ...named('stored'), metadata: { name: 'stored', namespace: 'default', uid: 'u', labels: { x: 'y' } } };
    const stored = encodeProtobuf(object);
    await server.storage.commit({
      conditions: [],
      operations: [{ type: 'put', key: '/registry/configmaps/default/stored', value: stored }],
    });
    const { object: read } = await ask('GET', `${maps}/stored`, 'application/json');
    assert.deepEqual([read.metadata['labels'], read['data']], [{ x: 'y' }, { key: 'stored' }]);
    assert.match(String(read.metadata['resourceVersion']), /^\d+$/);
    const { body } = await api.patch<Decoded>(`${maps}/stored`, 'merge', { data: { more: 'yes' } });
    assert.deepEqual(body['data'], { key: 'stored', more: 'yes' });
  });
  it('what upstream has stored has defaults, which it may have left to the next read', async () => {
    const template = { metadata: { labels: { x: 'y' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { template, selector: {} };
    const metadata = { name: 'stored', namespace: 'default', uid: 'u' };
    const job = { kind: 'Job', apiVersion: 'batch/v1', metadata, spec };
    const value = encodeProtobuf(job);
    await server.storage.commit({ conditions: [], operations: [{ type: 'put', key: '/registry/jobs/default/stored', value }] });
    const { object } = await ask('GET', '/apis/batch/v1/namespaces/default/jobs/stored', 'application/json');
    const read = object['spec'] as { backoffLimit: number; template: { spec: { dnsPolicy: string } } };
    assert.deepEqual(object.metadata['labels'], { x: 'y' });
    assert.deepEqual([read.backoffLimit, read.template.spec.dnsPolicy], [6, 'ClusterFirst']);
  });
  it('definitions that upstream has stored in v1beta1 are read as v1', async () => {
    const names = { plural: 'toys', singular: 'toy', kind: 'Toy', listKind: 'ToyList' };
    const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object' } } };
    const stored = {
      kind: 'CustomResourceDefinition',
      apiVersion: 'apiextensions.k8s.io/v1beta1',
      metadata: { name: 'toys.example.com', uid: 'u' },
      spec: {
        group: 'example.com',
        version: 'v1',
        names,
        scope: 'Namespaced',
        validation: { openAPIV3Schema },
        versions: [{ name: 'v1', served: true, storage: true }],
        additionalPrinterColumns: [{ name: 'A', type: 'integer', JSONPath: '.spec.a' }],
        conversion: { strategy: 'Webhook', webhookClientConfig: { url: 'https://example.com' }, conversionReviewVersions: ['v1'] },
        preserveUnknownFields: false,
      },
      status: { conditions: [], acceptedNames: names, storedVersions: ['v1'] },
    };
    const key = '/registry/apiextensions.k8s.io/customresourcedefinitions/toys.example.com';
    await server.storage.commit({ conditions: [], operations: [{ type: 'put', key, value: Buffer.from(JSON.stringify(stored)) }] });
    const target = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/toys.example.com';
    for (const accept of ['application/json', protobuf]) {
      const { object } = await ask('GET', target, accept);
      const { conversion, versions, scope, ...rest } = object['spec'] as Record<string, unknown>;
      assert.equal('preserveUnknownFields' in rest, false);
      assert.deepEqual([object['apiVersion'], scope], ['apiextensions.k8s.io/v1', 'Namespaced']);
      assert.deepEqual(versions, [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema },
          additionalPrinterColumns: [{ name: 'A', type: 'integer', jsonPath: '.spec.a' }],
        },
      ]);
      assert.deepEqual(conversion, {
        strategy: 'Webhook',
        webhook: { clientConfig: { url: 'https://example.com' }, conversionReviewVersions: ['v1'] },
      });
    }
  });
  for (const encoding of ['JSON', 'protobuf'] as const) {
    it(`objects that upstream has stored in an older version of the same shape are read as this one: ${encoding}`, async () => {
      const name = encoding === 'JSON' ? '10.1.2.3' : '10.1.2.4';
      const spec = { parentRef: { resource: 'services', namespace: 'default', name: 'gone' } };
      const stored = { kind: 'IPAddress', apiVersion: 'networking.k8s.io/v1beta1', metadata: { name, uid: 'u' }, spec };
      const schema = findKindSchema('networking.k8s.io/v1', 'IPAddress');
      const value = encoding === 'JSON' ? Buffer.from(JSON.stringify(stored)) : encodeProtobuf(stored, schema);
      await server.storage.commit({ conditions: [], operations: [{ type: 'put', key: `/registry/ipaddresses/${name}`, value }] });
      for (const accept of ['application/json', protobuf]) {
        const { object } = await ask('GET', `/apis/networking.k8s.io/v1/ipaddresses/${name}`, accept);
        assert.deepEqual([object['apiVersion'], object['kind'], object['spec']], ['networking.k8s.io/v1', 'IPAddress', spec]);
      }
      const { body } = await api.patch<Decoded>(`/apis/networking.k8s.io/v1/ipaddresses/${name}`, 'merge', {
        metadata: { labels: { a: 'b' } },
      });
      assert.equal(body['apiVersion'], 'networking.k8s.io/v1');
    });
  }
});
