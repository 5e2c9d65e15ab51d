import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { testContext } from '../testing/test-context.ts';
import { createDiscovery } from './discovery.ts';

const discovery = createDiscovery({ delegated: () => [], definitions: () => catalog, serverAddress: '192.0.2.1:6443' });

function get(path: string, headers: Record<string, string> = {}): APIResponse | undefined {
  return discovery(testContext(createManualClock(), { path, headers }));
}

function json(response: APIResponse | undefined): ReturnType<typeof JSON.parse> {
  assert.equal(response?.body.kind, 'bytes');
  return JSON.parse(Buffer.from(response?.body.kind === 'bytes' ? response.body.bytes : []).toString());
}

const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

describe('discovery', () => {
  it('/api', () =>
    assert.deepEqual(json(get('/api')), {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '192.0.2.1:6443' }],
    }));

  it('/apis lists groups by rank with the preferred version first', () => {
    const { groups } = json(get('/apis'));
    assert.deepEqual(groups.map(({ name }: { name: string }) => name).slice(0, 7), [
      'apiregistration.k8s.io',
      'apps',
      'events.k8s.io',
      'authentication.k8s.io',
      'authorization.k8s.io',
      'autoscaling',
      'batch',
    ]);
    assert.deepEqual(groups[5], {
      name: 'autoscaling',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    });
  });

  it('/api/v1 has resources and subresources in order, with the hashes that Kubernetes publishes', () => {
    const list = json(get('/api/v1'));
    assert.deepEqual(Object.keys(list), ['kind', 'groupVersion', 'resources']);
    const names: string[] = list.resources.map(({ name }: { name: string }) => name);
    assert.deepEqual(
      names.filter((name) => name.startsWith('pods')),
      [
        'pods',
        'pods/attach',
        'pods/binding',
        'pods/ephemeralcontainers',
        'pods/eviction',
        'pods/exec',
        'pods/log',
        'pods/portforward',
        'pods/proxy',
        'pods/resize',
        'pods/status',
      ],
    );
    const find = (name: string) => list.resources.find((resource: { name: string }) => resource.name === name);
    assert.deepEqual(find('pods'), {
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
      storageVersionHash: 'xPOwRZ+Yhw8=',
    });
    assert.deepEqual(find('pods/eviction'), {
      name: 'pods/eviction',
      singularName: '',
      namespaced: true,
      group: 'policy',
      version: 'v1',
      kind: 'Eviction',
      verbs: ['create'],
    });
    assert.deepEqual(find('bindings'), { name: 'bindings', singularName: 'binding', namespaced: true, kind: 'Binding', verbs: ['create'] });
  });

  it('/apis/apps/v1', () => {
    const list = json(get('/apis/apps/v1'));
    assert.deepEqual(Object.keys(list), ['kind', 'apiVersion', 'groupVersion', 'resources']);
    const deployment = list.resources.find(({ name }: { name: string }) => name === 'deployments');
    assert.equal(deployment.storageVersionHash, '8aSe+NMegvE=');
  });

  it('hashes of kinds that are stored in another version are those of that version', () => {
    const hash = (path: string, name: string) =>
      json(get(path)).resources.find((resource: { name: string }) => resource.name === name).storageVersionHash;
    assert.equal(hash('/apis/autoscaling/v1', 'horizontalpodautoscalers'), hash('/apis/autoscaling/v2', 'horizontalpodautoscalers'));
    assert.equal(hash('/apis/events.k8s.io/v1', 'events'), hash('/api/v1', 'events'));
    assert.equal(hash('/api/v1', 'events'), 'r2yiGXH7wu8=');
  });

  it('aggregated: core under /api, the others under /apis', () => {
    const core = get('/api', { accept: aggregated });
    assert.equal(core?.headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    const { items } = json(core);
    assert.equal(items.length, 1);
    const pods = items[0].versions[0].resources.find(({ resource }: { resource: string }) => resource === 'pods');
    assert.deepEqual(pods.responseKind, { group: '', version: '', kind: 'Pod' });
    assert.deepEqual(
      pods.subresources.find(({ subresource }: { subresource: string }) => subresource === 'eviction'),
      {
        subresource: 'eviction',
        responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
        verbs: ['create'],
      },
    );
    const others = json(get('/apis', { accept: aggregated }));
    assert.equal(others.items[1].metadata.name, 'apps');
    const count = [...items, ...others.items].flatMap(({ versions }) =>
      versions.flatMap(({ resources }: { resources: unknown[] }) => resources),
    ).length;
    assert.equal(count, catalog.length);
  });

  it('answers 304 to a client that has the document', () => {
    const etag = get('/apis', { accept: aggregated })?.headers['etag'] ?? '';
    assert.match(etag, /^"[0-9A-F]{128}"$/);
    assert.equal(get('/apis', { accept: aggregated, 'if-none-match': etag })?.status, 304);
    assert.equal(get('/api', { accept: aggregated, 'if-none-match': etag })?.status, 200);
  });

  it('tells the whole in YAML and in protobuf too, under the same tag; v2beta1 is gone', () => {
    const kind = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const json = get('/apis', { accept: `application/json;${kind}` });
    for (const type of ['application/yaml', 'application/vnd.kubernetes.protobuf']) {
      const response = get('/apis', { accept: `${type};${kind}` });
      assert.equal(response?.headers['content-type'], `${type};${kind}`);
      assert.equal(response?.headers['etag'], json?.headers['etag']);
    }
    assert.throws(() => get('/apis', { accept: 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList' }), {
      code: 406,
    });
  });

  it('is indented for curl', () => {
    const response = get('/api', { 'user-agent': 'curl/8' });
    assert.match(Buffer.from(response?.body.kind === 'bytes' ? response.body.bytes : []).toString(), /^\{\n {2}"kind": "APIVersions",/);
  });

  it('is read only, in types that are named in full where there is a route', () => {
    for (const path of ['/api', '/api/v1', '/apis/apps/v1']) {
      assert.throws(() => discovery(testContext(createManualClock(), { path, method: 'HEAD' })), { code: 405 }, path);
      assert.throws(() => get(path, { accept: 'application/*' }), {
        message:
          '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      });
    }
    assert.equal(get('/apis', { accept: 'application/*' })?.status, 200);
  });

  it('knows nothing else', () => {
    for (const path of ['/apis/nope', '/apis/apps/v1/x/y', '/apiz']) assert.equal(get(path), undefined, path);
    for (const path of ['/api/v2', '/apis/apps/v9']) assert.throws(() => get(path), { code: 404 }, path);
  });
});
