import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

const namespace = '/api/v1/namespaces/default';
const objects = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const lists = `${objects}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch`;
const routed = (types: string) => `406: Not Acceptable\n\nAvailable representations: ${types}`;
const negotiated = (types: string) => `only the following media types are accepted: ${types}`;
const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
const asMeta = (kind: string, version = 'v1') => `application/json;as=${kind};g=meta.k8s.io;v=${version}`;

describe('media types of a route', () => {
  let server: TestAPIServer;
  let api: APICaller;
  before(async () => {
    server = await startAPIServerInProcess();
    api = createAPICaller(server.transport);
  });
  after(() => server.close());

  const refused: [string, string, string][] = [
    [namespace, 'application/xml', routed(objects)],
    [namespace, 'application/*', routed(objects)],
    [namespace, 'garbage', routed(objects)],
    [namespace, 'application/cbor', routed(objects)],
    ['/api/v1/namespaces/none', 'application/cbor', routed(objects)],
    ['/api/v1/namespaces/none', 'application/json;as=Foo;g=meta.k8s.io;v=v1', negotiated(objects)],
    ['/api/v1/namespaces/none', 'application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1', negotiated(objects)],
    ['/api/v1/namespaces', 'text/html', routed(lists)],
    ['/api/v1/namespaces?watch=1', 'application/cbor-seq', routed(lists)],
    ['/api/v1/namespaces?watch=1', 'application/json;stream=foo', negotiated(objects)],
    ['/api/v1/namespaces?watch=1', 'application/yaml;stream=watch', negotiated(objects)],
    ['/api/v1/namespaces?watch=1', 'application/yaml', negotiated(streams)],
    [`${namespace}/pods/none/log`, 'text/html', routed(`text/plain, ${objects}`)],
    [
      namespace,
      asMeta('PartialObjectMetadataList'),
      'you requested PartialObjectMetadataList, but the requested object is not a list (*core.Namespace)',
    ],
    [
      '/apis/apps/v1/deployments',
      asMeta('PartialObjectMetadata'),
      'you requested PartialObjectMetadata, but the requested object is a list (*apps.DeploymentList)',
    ],
    ['/version', 'application/yaml', routed('application/json')],
  ];
  for (const [target, accept, message] of refused) {
    it(`${accept} of ${target} is refused`, async () => {
      const { status, text } = await api.get(target, { accept });
      assert.equal(status, 406);
      assert.ok(text.includes(accept === 'application/yaml' ? 'NotAcceptable' : JSON.stringify(message)), text);
    });
  }

  it('patches in other formats are refused before anything else is looked at', async () => {
    const failure = await api.failure(api.call('PATCH', `${namespace}/configmaps/none`, { body: {}, contentType: 'application/json' }));
    assert.deepEqual([failure.code, failure.message], [415, '415: Unsupported Media Type']);
  });

  it('HEAD has no route', async () => {
    for (const target of [namespace, '/api/v1/namespaces', '/api/v1', '/version'])
      assert.equal((await api.call('HEAD', target)).status, 405, target);
  });

  it('nothing but GET has a route below /watch/', async () => {
    for (const method of ['POST', 'PATCH', 'DELETE', 'OPTIONS'])
      assert.equal((await api.call(method, '/api/v1/watch/pods', { body: {} })).status, 405, method);
  });

  it('metadata and tables say the version in which they were asked for', async () => {
    for (const version of ['v1', 'v1beta1']) {
      const apiVersion = `meta.k8s.io/${version}`;
      const one = await api.get(namespace, { accept: asMeta('PartialObjectMetadata', version) });
      assert.deepEqual([one.body['kind'], one.body['apiVersion']], ['PartialObjectMetadata', apiVersion]);
      const list = await api.get<{ apiVersion: string; items: { apiVersion: string }[] }>('/api/v1/namespaces', {
        accept: asMeta('PartialObjectMetadataList', version),
      });
      assert.deepEqual([list.body.apiVersion, list.body.items[0]?.apiVersion], [apiVersion, apiVersion]);
      const table = await api.get<{ apiVersion: string; rows: { object: { apiVersion: string } }[] }>('/api/v1/namespaces', {
        accept: asMeta('Table', version),
      });
      assert.deepEqual([table.body.apiVersion, table.body.rows[0]?.object.apiVersion], [apiVersion, apiVersion]);
    }
  });

  it('a patch of an unknown type is refused for it, and an empty one as if nothing could answer it', async () => {
    const patch = (body: string) => api.failure(api.call('PATCH', `${namespace}/configmaps/a`, { body, contentType: 'text/plain' }));
    assert.deepEqual(await patch('{}'), { code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} });
    assert.deepEqual(await patch(''), { code: 406, reason: 'NotAcceptable', message: routed(''), details: {} });
  });
});
