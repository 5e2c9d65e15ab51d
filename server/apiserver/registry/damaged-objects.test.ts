import assert from 'node:assert/strict';
import type { Client } from '../../../api/client/client.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../testing/complete-server.ts';

const ignore = 'ignoreStoreReadErrorWithClusterBreakingPotential';

describe('objects that cannot be read', () => {
  let complete: CompleteServer;
  let admin: Client;
  let api: APICaller;
  const maps = '/api/v1/namespaces/default/configmaps';
  const damage = (name: string, value: string) =>
    complete.server.storage.commit({
      conditions: [],
      operations: [{ type: 'put', key: `/registry/configmaps/default/${name}`, value: new TextEncoder().encode(value) }],
    });
  const deletion = (more: object = {}) => ({ kind: 'DeleteOptions', apiVersion: 'v1', [ignore]: true, ...more });

  before(async () => {
    complete = await startCompleteServer();
    ({ admin } = complete);
    api = createAPICaller(complete.server.transport);
    await admin(configMaps).create({ metadata: { namespace: 'default', name: 'good' } });
  });
  after(() => complete.close());

  for (const [title, value] of [
    ['cut', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"bad","names'],
    ['zeroes', '\0'.repeat(100)],
    ['zeroes within', `{"metadata":{"name":"bad"},"data":${'\0'.repeat(100)}}`],
    ['cut protobuf', 'k8s\0\n\x0f\n'],
    ['another type', '[1]'],
  ] as const)
    it(`make their kind unreadable and can be removed: ${title}`, async () => {
      await damage('bad', value);
      await eventually('the damage', async () => (await api.get(maps)).status === 500);
      assert.match((await api.failure(api.get(maps))).message ?? '', /configmaps\/default\/bad at revision \d+ cannot be read/);
      assert.equal((await api.get(`${maps}/bad`)).status, 500);
      assert.equal((await api.get(`${maps}/good`)).status, 200);
      assert.equal((await api.get('/api/v1/secrets')).status, 200);
      assert.equal((await api.delete(`${maps}/bad`)).status, 500);
      const { status, body } = await api.delete(`${maps}/bad`, deletion());
      assert.deepEqual(
        [status, body],
        [200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name: 'bad', kind: 'configmaps' } }],
      );
      await eventually('the list', async () => (await api.get(maps)).status === 200);
      assert.equal((await api.get(`${maps}/bad`)).status, 404);
      assert.equal((await api.delete(`${maps}/bad?${ignore}=true`)).status, 404);
    });

  it('do not end the watches of those who come later', async () => {
    await damage('bad', '{');
    await api.delete(`${maps}/bad`, deletion());
    await eventually('the list', async () => (await api.get(maps)).status === 200);
    const list = await api.get<{ metadata: { resourceVersion: string } }>(maps);
    const watch = await api.watch(`${maps}?watch=true&resourceVersion=${list.body.metadata.resourceVersion}`);
    await admin(configMaps).create({ metadata: { namespace: 'default', name: 'later' } });
    const { type, object } = await watch.next();
    assert.deepEqual([type, object.metadata['name']], ['ADDED', 'later']);
    await watch.stop();
  });

  it('are the only ones that are removed so', async () => {
    assert.equal(
      (await api.failure(api.delete(`${maps}/good`, deletion()))).message,
      `configmaps "good" is invalid: ${ignore}: Invalid value: true: is exclusively used to delete corrupt object(s), try again by removing this option`,
    );
    assert.equal((await api.get(`${maps}/good`)).status, 200);
    for (const [name, value] of Object.entries({
      dryRun: ['All'],
      propagationPolicy: 'Background',
      orphanDependents: true,
      gracePeriodSeconds: 0,
      preconditions: { uid: 'x' },
    }))
      assert.match(
        (await api.failure(api.delete(`${maps}/good`, deletion({ [name]: value })))).message ?? '',
        new RegExp(`${ignore}: Invalid value: true: cannot be set together with \\.${name}$`),
      );
    assert.match(
      (await api.failure(api.delete(maps, deletion()))).message ?? '',
      /is not allowed with DELETECOLLECTION, try again after removing the option$/,
    );
  });

  it('are removed by those alone who may remove unread', async () => {
    await damage('bad', '{');
    await admin(clusterRoles).create({
      metadata: { name: 'deleter' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['delete'] }],
    });
    await admin(clusterRoleBindings).create({
      metadata: { name: 'deleter' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'deleter' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'deleter' }],
    });
    const deleter = createAPICaller(complete.server.transport, { name: 'deleter', groups: ['system:authenticated'] });
    await eventually('the role', async () => (await deleter.delete(`${maps}/bad`)).status === 500);
    assert.equal(
      (await deleter.failure(deleter.delete(`${maps}/bad`, deletion()))).message,
      'configmaps "bad" is forbidden: User "deleter" cannot unsafe-delete-ignore-read-errors resource "configmaps" in API group "" in the namespace "default"',
    );
    assert.equal((await api.delete(`${maps}/bad?${ignore}=true`)).status, 200);
  });
});
