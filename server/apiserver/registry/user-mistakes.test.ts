import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';

/** Users' mistakes with any kind, and upstream's answers. */
describe('mistakes of users on a whole server', () => {
  const configMaps = '/api/v1/namespaces/default/configmaps';
  let server: CompleteServer;
  let api: APICaller;
  before(async () => {
    server = await startCompleteServer();
    api = createAPICaller(server.server.transport);
  });
  after(() => server.close());

  it('a finalizer that is nobody’s', async () => {
    const finalizers = ['kubernetes', 'foo'];
    const detail = 'metadata.finalizers[1]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified';
    const created = await api.failure(api.post(configMaps, { metadata: { name: 'a', finalizers } }));
    assert.equal(created.message, `ConfigMap "a" is invalid: ${detail}`);
    await api.post(configMaps, { metadata: { name: 'a' } });
    const patched = await api.failure(api.patch(`${configMaps}/a`, 'merge', { metadata: { finalizers } }));
    assert.equal(patched.message, `ConfigMap "a" is invalid: ${detail}`);
    assert.equal((await api.patch(`${configMaps}/a`, 'merge', { metadata: { finalizers: ['example.com/foo'] } })).status, 200);
  });
  it('an API service may have any finalizer', async () => {
    const spec = { group: 'x.io', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, service: { namespace: 'a', name: 'b' } };
    const metadata = { name: 'v1.x.io', finalizers: ['foo'] };
    assert.equal((await api.post('/apis/apiregistration.k8s.io/v1/apiservices', { metadata, spec })).status, 201);
  });
  it('another uid: invalid in a patch, a conflict in a whole object', async () => {
    await api.post(configMaps, { metadata: { name: 'u' } });
    const metadata = { name: 'u', uid: '7' };
    const patched = await api.failure(api.patch(`${configMaps}/u`, 'merge', { metadata }));
    assert.equal(patched.code, 422);
    assert.equal(patched.message, 'ConfigMap "u" is invalid: metadata.uid: Invalid value: "7": field is immutable');
    assert.equal(patched.details?.causes?.length, 2, 'once for every kind, once among the rules of each');
    const put = await api.failure(api.put(`${configMaps}/u`, { metadata }));
    assert.equal(put.code, 409);
    assert.match(put.message ?? '', /Precondition failed: UID in precondition: 7, UID in object meta: /);
  });
  it('profiles in annotations', async () => {
    const annotations = {
      'seccomp.security.alpha.kubernetes.io/pod': 'x',
      'container.seccomp.security.alpha.kubernetes.io/c': 'x',
      'container.apparmor.security.beta.kubernetes.io/c': 'unconfined',
    };
    const template = { metadata: { labels: { a: 'b' }, annotations }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    const { headers } = await api.post('/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'd' }, spec });
    const at = 'spec.template.metadata.annotations';
    assert.equal(
      headers['warning'],
      [
        `${at}[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the \\"seccompProfile\\" field instead`,
        `${at}[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the \\"seccompProfile\\" field instead`,
        `${at}[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the \\"appArmorProfile\\" field instead`,
      ]
        .map((text) => `299 - "${text}"`)
        .join(', '),
    );
  });
  it('component statuses have a Table', async () => {
    for (const path of ['/api/v1/componentstatuses', '/api/v1/componentstatuses/etcd-0']) {
      const { body } = await api.get<{ kind: string; columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>(path, {
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
      });
      assert.deepEqual(
        [body.kind, body.columnDefinitions.map(({ name }) => name), body.rows.map(({ cells }) => cells)],
        ['Table', ['Name', 'Status', 'Message', 'Error'], [['etcd-0', 'Healthy', 'ok', '']]],
      );
    }
    const { body } = await api.get<object>('/api/v1/componentstatuses/etcd-0');
    assert.deepEqual(body, {
      kind: 'ComponentStatus',
      apiVersion: 'v1',
      metadata: { name: 'etcd-0' },
      conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
    });
    assert.equal((await api.get('/api/v1/componentstatuses/other')).status, 404);
  });
});
