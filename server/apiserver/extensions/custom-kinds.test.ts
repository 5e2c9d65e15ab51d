import assert from 'node:assert/strict';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer, startCompleteServerOn } from '../testing/complete-server.ts';
import { cronTab, cronTabDefinition, cronTabsPath, cronTabVersion, definitionsPath } from './testing/cron-tabs.ts';

type Conditions = readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[];
interface Definition {
  readonly metadata: { readonly finalizers?: readonly string[]; readonly resourceVersion: string };
  readonly spec: { readonly names: object };
  readonly status: { readonly conditions: Conditions | null; readonly storedVersions: readonly string[]; readonly acceptedNames: object };
}

const name = 'crontabs.stable.example.com';

async function establish(api: APICaller, definition: object = cronTabDefinition(), named = name): Promise<Definition> {
  const created = await api.post(definitionsPath, definition);
  assert.equal(created.status, 201, created.text);
  return established(api, named);
}

async function established(api: APICaller, named = name): Promise<Definition> {
  let body: Definition | undefined;
  await eventually(`${named} is established`, async () => {
    ({ body } = await api.get<Definition>(`${definitionsPath}/${named}`));
    // There are none before the first.
    return (body.status.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');
  });
  return body ?? assert.fail('not established');
}

const nameOf = (event: { readonly object: object }): unknown => (event.object as { metadata: { name: string } }).metadata.name;

async function gone(api: APICaller, named = name): Promise<void> {
  await eventually(`${named} is gone`, async () => (await api.get(`${definitionsPath}/${named}`)).status === 404);
}

describe('kinds that CustomResourceDefinitions add', () => {
  let complete: CompleteServer;
  let api: APICaller;
  before(async () => {
    complete = await startCompleteServer();
    api = createAPICaller(complete.server.transport);
  });
  after(() => complete.close());
  afterEach(async () => {
    const { body } = await api.get<{ items: { metadata: { name: string } }[] }>(definitionsPath);
    for (const { metadata } of body.items) {
      await api.delete(`${definitionsPath}/${metadata.name}`);
      await gone(api, metadata.name);
    }
  });

  it('may have finalizers that say not whose they are, with a warning', async () => {
    await establish(api);
    const metadata = { name: 'held', finalizers: ['foo'] };
    const created = await api.post(cronTabsPath, { ...cronTab('held'), metadata });
    assert.equal(created.status, 201, created.text);
    assert.equal(
      created.headers['warning'],
      '299 - "metadata.finalizers: \\"foo\\": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"',
    );
    assert.equal((await api.patch(`${cronTabsPath}/held`, 'merge', { metadata: { finalizers: null } })).status, 200);
  });
  it('are established, and told in discovery at once', async () => {
    const { status } = await establish(api);
    assert.deepEqual(
      status.conditions?.map(({ type, status: value, reason }) => [type, value, reason]),
      [
        ['NamesAccepted', 'True', 'NoConflicts'],
        ['Established', 'True', 'InitialNamesAccepted'],
      ],
    );
    assert.deepEqual(status.storedVersions, ['v1']);
    assert.deepEqual(status.acceptedNames, {
      plural: 'crontabs',
      singular: 'crontab',
      shortNames: ['ct'],
      kind: 'CronTab',
      listKind: 'CronTabList',
      categories: ['all'],
    });
    const group = await api.get('/apis/stable.example.com');
    assert.deepEqual(group.body['preferredVersion'], { groupVersion: 'stable.example.com/v1', version: 'v1' });
    const { body } = await api.get<{ resources: { name: string; verbs: string[]; kind: string; group?: string }[] }>(
      '/apis/stable.example.com/v1',
    );
    const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
    assert.deepEqual(
      body.resources.map((resource) => [resource.name, resource.kind, resource.group, resource.verbs]),
      [
        ['crontabs', 'CronTab', undefined, verbs],
        ['crontabs/status', 'CronTab', undefined, ['get', 'patch', 'update']],
        ['crontabs/scale', 'Scale', 'autoscaling', ['get', 'patch', 'update']],
      ],
    );
  });

  it('are stored, defaulted and pruned, changed and deleted', async () => {
    await establish(api);
    const created = await api.post(cronTabsPath, cronTab('a', { spec: { cronSpec: '* * * * *', unknown: 1 }, status: { replicas: 3 } }));
    assert.equal(created.status, 201, created.text);
    assert.deepEqual(created.body['spec'], { cronSpec: '* * * * *', image: 'busybox' });
    assert.equal(created.body['status'], undefined);
    const { metadata } = created.body as { metadata: { generation: number; resourceVersion: string } };
    assert.equal(metadata.generation, 1);
    const got = await api.get(`${cronTabsPath}/a`);
    assert.deepEqual(got.body, created.body);
    assert.deepEqual(Object.keys(got.body), ['apiVersion', 'kind', 'metadata', 'spec']);
    const merged = await api.patch<{ metadata: { generation: number } }>(`${cronTabsPath}/a`, 'merge', { spec: { image: 'x' } });
    assert.equal(merged.body.metadata.generation, 2);
    const patched = await api.patch<{ spec: object }>(`${cronTabsPath}/a`, 'json', [{ op: 'replace', path: '/spec/image', value: 'y' }]);
    assert.deepEqual(patched.body.spec, { cronSpec: '* * * * *', image: 'y' });
    const refused = await api.failure(api.patch(`${cronTabsPath}/a`, 'strategic', { spec: {} }));
    assert.equal(refused.code, 415);
    const status = await api.put<{ status: object; spec: object; metadata: { generation: number; labels?: object } }>(
      `${cronTabsPath}/a/status`,
      {
        ...patched.body,
        metadata: { ...(patched.body as never as { metadata: object }).metadata, labels: { a: 'b' } },
        spec: {},
        status: { replicas: 2 },
      },
    );
    assert.equal(status.status, 200, status.text);
    assert.deepEqual(
      [status.body.status, status.body.spec, status.body.metadata.generation, status.body.metadata.labels],
      [{ replicas: 2 }, { cronSpec: '* * * * *', image: 'y' }, 3, undefined],
    );
    const deleted = await api.delete(`${cronTabsPath}/a`);
    assert.equal(deleted.status, 200, deleted.text);
    assert.equal((await api.get(`${cronTabsPath}/a`)).status, 404);
  });

  it('take finalizers whose owner is told by dots alone, on creation and later, and none that is no name', async () => {
    await establish(api);
    const finalizers = ['resources-finalizer.argocd.argoproj.io'];
    const created = await api.post(cronTabsPath, cronTab('held', { metadata: { name: 'held', finalizers } }));
    assert.equal(created.status, 201, created.text);
    const patch = async (list: readonly string[]) => api.patch(`${cronTabsPath}/held`, 'merge', { metadata: { finalizers: list } });
    assert.equal((await patch([...finalizers, 'other'])).status, 200);
    assert.match((await patch([''])).text, /name part must be non-empty/);
    assert.equal((await patch([])).status, 200);
  });

  it('have the defaults of their status from the start', async () => {
    const definition = cronTabDefinition();
    const [version] = definition.spec.versions;
    const { properties } = version?.schema.openAPIV3Schema ?? assert.fail('no version');
    Object.assign(properties.status, {
      properties: { ...properties.status.properties, observedGeneration: { type: 'integer' } },
      default: { observedGeneration: -1 },
    });
    await establish(api, definition);
    for (const query of ['?dryRun=All', '']) {
      const { body } = await api.post<{ status: object }>(`${cronTabsPath}${query}`, cronTab('new', { status: { replicas: 7 } }));
      assert.deepEqual(body.status, { observedGeneration: -1 });
    }
  });

  it('name a field that they are not selected by', async () => {
    await establish(api);
    const { status, body } = await api.get(`${cronTabsPath}?fieldSelector=spec.nope%3D1`);
    assert.deepEqual([status, body['message']], [400, 'field label not supported: spec.nope']);
  });

  it('are scaled', async () => {
    await establish(api);
    await api.post(cronTabsPath, cronTab('a', { spec: { replicas: 2 } }));
    await api.patch(`${cronTabsPath}/a/status`, 'merge', { status: { replicas: 1, selector: 'app=a' } });
    const scale = await api.get(`${cronTabsPath}/a/scale`);
    assert.deepEqual(
      [scale.body['kind'], scale.body['spec'], scale.body['status']],
      ['Scale', { replicas: 2 }, { replicas: 1, selector: 'app=a' }],
    );
    const patched = await api.patch(`${cronTabsPath}/a/scale`, 'merge', { spec: { replicas: 5 } });
    assert.deepEqual(patched.body['spec'], { replicas: 5 });
    const put = await api.put(`${cronTabsPath}/a/scale`, { ...scale.body, metadata: { name: 'a' }, spec: { replicas: 7 } });
    assert.equal(put.status, 200, put.text);
    assert.deepEqual((await api.get<{ spec: object }>(`${cronTabsPath}/a`)).body.spec, { image: 'busybox', replicas: 7 });
  });

  it('are applied, and their fields owned', async () => {
    await establish(api);
    const first = await api.patch(`${cronTabsPath}/a?fieldManager=one`, 'apply', cronTab('a', { spec: { cronSpec: '1', replicas: 1 } }));
    assert.equal(first.status, 201, first.text);
    const conflict = await api.failure(api.patch(`${cronTabsPath}/a?fieldManager=two`, 'apply', cronTab('a', { spec: { replicas: 2 } })));
    assert.equal(conflict.message, 'Apply failed with 1 conflict: conflict with "one": .spec.replicas');
    const twice = 'apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: a}\nspec:\n  image: a\n  image: b\n';
    const strict = await api.failure(api.patch(`${cronTabsPath}/a?fieldManager=one&fieldValidation=Strict`, 'apply', twice));
    const problem = 'yaml: unmarshal errors:\n  line 6: key "image" already set in map';
    assert.deepEqual([strict.code, strict.message], [400, `error strict decoding YAML: error converting YAML to JSON: ${problem}`]);
    const warned = await api.patch(`${cronTabsPath}/a?fieldManager=one&force=true&fieldValidation=Warn&dryRun=All`, 'apply', twice);
    assert.equal(warned.headers['warning'], '299 - "line 6: key \\"image\\" already set in map"');
    const less = await api.patch<{ spec: object }>(`${cronTabsPath}/a?fieldManager=one`, 'apply', cronTab('a', { spec: { replicas: 1 } }));
    assert.deepEqual(less.body.spec, { image: 'busybox', replicas: 1 });
  });

  const bodies: [string, object, number, string][] = [
    [
      'without an apiVersion',
      { kind: 'CronTab' },
      400,
      'the API version in the data () does not match the expected API version (stable.example.com/v1)',
    ],
    [
      'of another version',
      { apiVersion: 'v1', kind: 'Pod' },
      400,
      'the API version in the data (v1) does not match the expected API version (stable.example.com/v1)',
    ],
    ['without a kind', {}, 400, "the object provided is unrecognized (must be of type CronTab): Object 'Kind' is missing in '{}' ({})"],
    [
      'of another kind',
      { apiVersion: 'stable.example.com/v1', kind: 'Other', metadata: { name: 'q' } },
      422,
      'Other.stable.example.com "q" is invalid: kind: Invalid value: "Other": must be CronTab',
    ],
  ];
  for (const [what, body, code, message] of bodies) {
    it(`are not taken from a body ${what}`, async () => {
      await establish(api);
      const failure = await api.failure(api.post(cronTabsPath, body));
      assert.deepEqual([failure.code, failure.message], [code, message]);
    });
  }

  it('are watched, in JSON only', async () => {
    await establish(api);
    const watch = await api.watch(`${cronTabsPath}?watch=true&resourceVersion=0`);
    await api.post(cronTabsPath, cronTab('a'));
    const event = await watch.next();
    assert.deepEqual([event.type, nameOf(event)], ['ADDED', 'a']);
    await watch.stop();
    const protobuf = { accept: 'application/vnd.kubernetes.protobuf' };
    assert.equal((await api.get(cronTabsPath, protobuf)).status, 406);
    const metadata = `${protobuf.accept};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;
    assert.equal((await api.get(cronTabsPath, { accept: metadata })).status, 200);
  });

  it('end their watches and are read anew when their schema changes', async () => {
    await establish(api);
    await api.post(cronTabsPath, cronTab('a'));
    const watch = await api.watch(`${cronTabsPath}?watch=true`);
    const others = await api.watch('/api/v1/configmaps?watch=true');
    await watch.next();
    const { body } = await api.get<{
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: object } } } } }[] };
    }>(`${definitionsPath}/${name}`);
    const properties = body.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {};
    Object.assign(properties, { added: { type: 'string', default: 'new' } });
    assert.equal((await api.put(`${definitionsPath}/${name}`, body)).status, 200);
    assert.equal(await watch.ended(), true);
    const { body: read } = await api.get<{ spec?: object }>(`${cronTabsPath}/a`);
    assert.deepEqual(read.spec, undefined);
    await api.post(cronTabsPath, cronTab('b', { spec: {} }));
    assert.deepEqual((await api.get<{ spec: object }>(`${cronTabsPath}/b`)).body.spec, { added: 'new', image: 'busybox' });
    await api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'still-watched' } });
    for (let event = await others.next(); nameOf(event) !== 'still-watched'; event = await others.next());
    await others.stop();
  });

  it('are not there before they are established, nor in other scopes and versions', async () => {
    const page = async (path: string, method = 'GET') => {
      const answer = await api.call(method, path);
      assert.deepEqual([answer.status, answer.text], [404, '404 page not found\n'], path);
    };
    await page(cronTabsPath);
    await establish(api);
    await page('/apis/stable.example.com/v2/crontabs');
    await page('/apis/stable.example.com/v1/crontabs/a');
    await page('/apis/stable.example.com/v1/others');
    await page('/apis/stable.example.com/v3');
    const watched = await api.failure(api.get(`${cronTabsPath.replace('/v1/', '/v1/watch/')}/a/status`));
    assert.deepEqual([watched.code, watched.message], [405, 'watch is not supported on resources of kind "crontabs.stable.example.com"']);
    const subresource = await api.failure(api.get(`${cronTabsPath}/a/log`));
    assert.deepEqual([subresource.code, subresource.message], [404, 'crontabs.stable.example.com "a" not found']);
  });

  it('have names that nobody else of their group has, as soon as these are free', async () => {
    await establish(api);
    const rival = cronTabDefinition({ names: { plural: 'rivals', singular: 'rival', shortNames: [], kind: 'CronTab' } });
    rival.metadata.name = 'rivals.stable.example.com';
    await api.post(definitionsPath, rival);
    await eventually('the rival is refused', async () => {
      const { body } = await api.get<Definition>(`${definitionsPath}/rivals.stable.example.com`);
      const found = body.status.conditions?.find(({ type }) => type === 'NamesAccepted');
      return found?.reason === 'ListKindConflict' && found.message === '"CronTabList" is already in use';
    });
    assert.equal((await api.get('/apis/stable.example.com/v1/rivals')).status, 404);
    await api.delete(`${definitionsPath}/${name}`);
    await gone(api);
    await established(api, 'rivals.stable.example.com');
  });

  it('go with all their objects, which may hold them', async () => {
    await establish(api);
    for (const each of ['a', 'b', 'c']) await api.post(cronTabsPath, cronTab(each));
    await api.post(cronTabsPath, { ...cronTab('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    const deleted = await api.delete<Definition>(`${definitionsPath}/${name}`);
    assert.deepEqual(deleted.body.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io']);
    assert.equal(deleted.body.status.conditions?.at(-1)?.reason, 'InstanceDeletionPending');
    await eventually('only what is held is left', async () => {
      const { body } = await api.get<{ items: unknown[] }>(cronTabsPath);
      return body.items.length === 1;
    });
    const refused = await api.failure(api.post(cronTabsPath, cronTab('late')));
    assert.deepEqual([refused.code, refused.message], [405, 'create not allowed while custom resource definition is terminating']);
    const discovery = await api.get<{ resources: { verbs: string[] }[] }>('/apis/stable.example.com/v1');
    assert.deepEqual(discovery.body.resources[0]?.verbs, ['delete', 'deletecollection', 'get', 'list', 'watch']);
    await api.patch(`${cronTabsPath}/held`, 'merge', { metadata: { finalizers: null } });
    await gone(api);
    assert.equal((await api.get(cronTabsPath)).status, 404);
    await establish(api);
    assert.deepEqual((await api.get<{ items: unknown[] }>(cronTabsPath)).body.items, []);
  });

  it('are served in several versions', async () => {
    const versions = [cronTabVersion('v1'), cronTabVersion('v1beta1', { storage: true })];
    await establish(api, cronTabDefinition({ spec: { versions } }));
    await api.post(cronTabsPath, cronTab('a', { spec: { replicas: 1 } }));
    const beta = cronTabsPath.replace('/v1/', '/v1beta1/');
    const { body } = await api.get<{ apiVersion: string; spec: object }>(`${beta}/a`);
    assert.deepEqual([body.apiVersion, body.spec], ['stable.example.com/v1beta1', { image: 'busybox', replicas: 1 }]);
    const list = await api.get<{ apiVersion: string; items: { apiVersion: string }[] }>(cronTabsPath);
    assert.deepEqual([list.body.apiVersion, list.body.items[0]?.apiVersion], ['stable.example.com/v1', 'stable.example.com/v1']);
    const stored = await complete.server.storage.get('/registry/stable.example.com/crontabs/default/a');
    assert.match(
      new TextDecoder().decode(stored.entry?.value),
      /^\{"apiVersion":"stable.example.com\/v1beta1","kind":"CronTab","metadata":/,
    );
    const watch = await api.watch(`${beta}?watch=true`);
    assert.equal((await watch.next()).object['apiVersion'], 'stable.example.com/v1beta1');
    await watch.stop();
  });

  for (const [group, plural, kind] of [
    ['rbac.authorization.k8s.io', 'clusterroles', 'Other'],
    ['apiregistration.k8s.io', 'apiservices', 'Other'],
    ['apiextensions.k8s.io', 'customresourcedefinitions', 'Other'],
    ['rbac.authorization.k8s.io', 'others', 'ClusterRole'],
  ] as const)
    it(`take nothing from built-in kinds as ${kind} ${plural}.${group}, neither while they are there nor when they go`, async () => {
      const collections = ['rbac.authorization.k8s.io/v1/clusterroles', 'apiregistration.k8s.io/v1/apiservices'].map(
        (end) => `/apis/${end}`,
      );
      const count = async () => Promise.all(collections.map(async (path) => (await api.get<{ kind: string; items: object[] }>(path)).body));
      const before = (await count()).map(({ kind: list, items }) => [list, items.length > 0]);
      const annotations = { 'api-approved.kubernetes.io': 'https://example.com/1' };
      const served = { served: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } };
      await establish(
        api,
        {
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: `${plural}.${group}`, annotations },
          spec: {
            ...{ group, scope: 'Cluster', names: { plural, kind } },
            versions: [
              { name: 'v1', storage: true, ...served },
              { name: 'v2', storage: false, ...served },
            ],
          },
        },
        `${plural}.${group}`,
      );
      assert.deepEqual(
        (await count()).map(({ kind: list, items }) => [list, items.length > 0]),
        before,
      );
      for (const version of ['v1', 'v2'])
        if (version === 'v2' || plural === 'others') assert.equal((await api.get(`/apis/${group}/${version}/${plural}`)).status, 404);
      await api.delete(`${definitionsPath}/${plural}.${group}`);
      await gone(api, `${plural}.${group}`);
      assert.deepEqual(
        (await count()).map(({ kind: list, items }) => [list, items.length > 0]),
        before,
      );
    });
});

describe('kinds that another server of the same store has added', () => {
  it('are served by all, and start with them', async () => {
    const storage = createMemoryStorage({ clock: systemClock });
    const [one, two] = [await startCompleteServerOn({ storage }), await startCompleteServerOn({ storage })];
    const [first, second] = [createAPICaller(one.server.transport), createAPICaller(two.server.transport)];
    await first.post(definitionsPath, cronTabDefinition());
    await established(first);
    const created = await second.post(cronTabsPath, cronTab('a'));
    assert.equal(created.status, 201, created.text);
    const three = await startCompleteServerOn({ storage });
    const third = createAPICaller(three.server.transport);
    assert.equal((await third.get(`${cronTabsPath}/a`)).status, 200);
    assert.equal((await third.delete(`${definitionsPath}/${name}`)).status, 200);
    await gone(first);
    assert.equal((await second.get(cronTabsPath)).status, 404);
    await Promise.all([one.close(), two.close(), three.close()]);
    await storage.close();
  });
});
