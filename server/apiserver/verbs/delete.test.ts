import assert from 'node:assert/strict';
import { getDefinitionSchema } from '../../../api/schema/definition-schema.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { describeOnEachStore } from '../testing/test-stores.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface Stored {
  kind: string;
  metadata: Record<string, unknown> & { name: string; uid: string; finalizers?: string[]; generation?: number };
  status?: Record<string, unknown>;
  items?: Stored[];
}

const maps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const named = (name: string, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } });
const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

describeOnEachStore('deleting through the API', (store) => {
  let server: TestAPIServer;
  let api: APICaller;
  before(async () => {
    server = await startAPIServerInProcess(store());
    api = createAPICaller(server.transport);
  });
  after(() => server.close());

  it('answers with what is gone', async () => {
    const { body: created } = await api.post<Stored>(maps, named('gone'));
    const { status, body } = await api.delete(`${maps}/gone`);
    assert.equal(status, 200);
    const details = { name: 'gone', kind: 'configmaps', uid: created.metadata.uid };
    assert.deepEqual(body, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
    const failure = await api.failure(api.delete(`${maps}/gone`));
    assert.deepEqual([failure.code, failure.message], [404, 'configmaps "gone" not found']);
  });
  it('answers with the object itself for kinds whose clients expect it', async () => {
    await api.post(pods, pod('shown'));
    const { body } = await api.delete<Stored>(`${pods}/shown`);
    assert.deepEqual([body.kind, body.metadata.name], ['Pod', 'shown']);
  });
  it('holds to preconditions', async () => {
    await api.post(maps, named('held'));
    const failure = await api.failure(api.delete(`${maps}/held`, { preconditions: { uid: 'another' } }));
    assert.deepEqual([failure.code, failure.reason], [409, 'Conflict']);
    assert.match(
      failure.message ?? '',
      /^Operation cannot be fulfilled on ConfigMap "held": the UID in the precondition \(another\) does not match the UID in record \(/,
    );
    assert.equal((await api.delete(`${maps}/held`, { preconditions: { resourceVersion: '1' } })).status, 409);
    assert.equal((await api.get(`${maps}/held`)).status, 200);
  });
  it('takes its options in protobuf, in the version of the group', async () => {
    for (const apiVersion of ['v1', 'meta.k8s.io/v1', 'apps/v1']) {
      await api.post(maps, named('binary'));
      const options = { apiVersion, kind: 'DeleteOptions', preconditions: { uid: 'another' } };
      const call = () =>
        api.call('DELETE', `${maps}/binary`, {
          contentType: 'application/vnd.kubernetes.protobuf',
          body: encodeProtobuf(options, getDefinitionSchema('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')),
        });
      assert.equal((await api.failure(call())).code, 409);
      options.preconditions.uid = (await api.get<Stored>(`${maps}/binary`)).body.metadata.uid;
      assert.equal((await call()).status, 200);
    }
  });
  it('deletes nothing with dryRun', async () => {
    await api.post(maps, named('dry'));
    assert.equal((await api.delete(`${maps}/dry?dryRun=All`)).status, 200);
    assert.equal((await api.delete(`${maps}/dry`, { dryRun: ['All'] })).status, 200);
    assert.equal((await api.get(`${maps}/dry`)).status, 200);
  });
  it('waits for finalizers', async () => {
    await api.post(maps, named('finalized', { finalizers: ['example.com/a'] }));
    const { status, body } = await api.delete<Stored>(`${maps}/finalized`);
    assert.deepEqual([status, body.kind, body.metadata['deletionGracePeriodSeconds']], [200, 'ConfigMap', 0]);
    assert.ok(body.metadata['deletionTimestamp']);
    const taken = await api.failure(api.post(maps, named('finalized')));
    assert.equal(taken.message, 'object is being deleted: configmaps "finalized" already exists');
    const added = await api.failure(
      api.patch(`${maps}/finalized`, 'merge', { metadata: { finalizers: ['example.com/a', 'example.com/b'] } }),
    );
    assert.match(added.message ?? '', /no new finalizers can be added if the object is being deleted/);
    assert.equal((await api.patch(`${maps}/finalized`, 'merge', { metadata: { finalizers: null } })).status, 200);
    assert.equal((await api.get(`${maps}/finalized`)).status, 404);
  });
  for (const [options, finalizers] of [
    [{ propagationPolicy: 'Foreground' }, ['foregroundDeletion']],
    [{ propagationPolicy: 'Orphan' }, ['orphan']],
    [{ orphanDependents: true }, ['orphan']],
  ] as const) {
    it(`leaves dependents to the garbage collector: ${JSON.stringify(options)}`, async () => {
      const name = `propagated-${JSON.stringify(options).length}`;
      await api.post(deployments, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      });
      await api.delete(`${deployments}/${name}`, options);
      const { body } = await api.get<Stored>(`${deployments}/${name}`);
      assert.deepEqual([body.metadata.finalizers, body.metadata.generation], [finalizers, 2]);
    });
  }
  it('refuses options that contradict each other', async () => {
    const failure = await api.failure(api.delete(`${maps}/dry`, { orphanDependents: true, propagationPolicy: 'Orphan' }));
    assert.equal(
      failure.message,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
    );
  });

  describe('a Pod', () => {
    const scheduled = async (name: string) => {
      await api.post(pods, pod(name, { nodeName: 'n' }));
      return `${pods}/${name}`;
    };
    it('that is not on a node goes at once', async () => {
      await api.post(pods, pod('unscheduled'));
      await api.delete(`${pods}/unscheduled`);
      assert.equal((await api.get(`${pods}/unscheduled`)).status, 404);
    });
    it('gets its grace period, which can only be shortened', async () => {
      const path = await scheduled('graceful');
      const { body } = await api.delete<Stored>(path);
      assert.deepEqual([body.metadata['deletionGracePeriodSeconds'], body.metadata.generation], [30, 2]);
      const { body: shorter } = await api.delete<Stored>(path, { gracePeriodSeconds: 5 });
      assert.equal(shorter.metadata['deletionGracePeriodSeconds'], 5);
      const { body: longer } = await api.delete<Stored>(`${path}?gracePeriodSeconds=60`);
      assert.equal(longer.metadata['deletionGracePeriodSeconds'], 5);
      await api.delete(path, { gracePeriodSeconds: 0 });
      assert.equal((await api.get(path)).status, 404);
    });
    it('stays while it has finalizers, also without grace', async () => {
      const path = await scheduled('kept');
      await api.patch(path, 'merge', { metadata: { finalizers: ['example.com/a'] } });
      await api.delete(path, { gracePeriodSeconds: 0 });
      const { body } = await api.get<Stored>(path);
      assert.equal(body.metadata['deletionGracePeriodSeconds'], 0);
      await api.patch(path, 'json', [{ op: 'remove', path: '/metadata/finalizers' }]);
      assert.equal((await api.get(path)).status, 404);
    });
  });

  it('a Namespace is terminating until its finalizers are gone', async () => {
    const path = '/api/v1/namespaces/ending';
    await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } });
    const { body } = await api.delete<Stored>(path);
    assert.deepEqual(
      [body.kind, body.status?.['phase'], body.metadata['deletionGracePeriodSeconds']],
      ['Namespace', 'Terminating', undefined],
    );
    const { body: again } = await api.delete<Stored>(path);
    assert.equal(again.kind, 'Namespace');
    const { body: present } = await api.get<Record<string, unknown>>(path);
    const { status } = await api.put(`${path}/finalize`, { ...present, spec: { finalizers: [] } });
    assert.equal(status, 200);
    assert.equal((await api.get(path)).status, 404);
  });

  it('deletes what a selector selects', async () => {
    for (const name of ['x1', 'x2']) await api.post(maps, named(name, { labels: { set: 'x' } }));
    await api.post(maps, named('y', { labels: { set: 'y' } }));
    const { status, body } = await api.delete<Stored>(`${maps}?labelSelector=set%3Dx`);
    assert.deepEqual([status, body.kind], [200, 'ConfigMapList']);
    const deleted = body.items?.map(({ metadata }) => metadata.name);
    // A request that was refused half-way and is repeated answers the rest.
    if (store().wrapTransport === undefined) assert.deepEqual(deleted, ['x1', 'x2']);
    else assert.ok(deleted?.every((name) => ['x1', 'x2'].includes(name)));
    const { body: rest } = await api.get<Stored>(`${maps}?labelSelector=set`);
    assert.deepEqual(
      rest.items?.map(({ metadata }) => metadata.name),
      ['y'],
    );
  });

  describe('a kind whose dependents are left', () => {
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
    const warning = async (target: string, options?: unknown) => {
      await api.post(jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec: { template } });
      const { headers } = await api.delete(target, options);
      await api.patch(`${jobs}/j`, 'merge', { metadata: { finalizers: null } });
      return headers['warning'];
    };
    it('is deleted with a warning where nothing is said of them', async () => {
      for (const target of [`${jobs}/j`, jobs]) assert.match((await warning(target)) ?? '', /child pods are preserved by default/, target);
      assert.match((await warning(`${jobs}/j`, { gracePeriodSeconds: 0 })) ?? '', /child pods are preserved by default/);
    });
    it('is deleted without where something is', async () => {
      for (const target of [`${jobs}/j?propagationPolicy=Background`, `${jobs}/j?orphanDependents=true`])
        assert.equal(await warning(target), undefined, target);
      assert.equal(await warning(`${jobs}/j`, { propagationPolicy: 'Orphan' }), undefined);
    });
  });
});
