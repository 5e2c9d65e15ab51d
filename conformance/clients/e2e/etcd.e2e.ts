import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { ensureClients } from '../support/ensure-clients.ts';
import { type EtcdProcess, startEtcd } from '../support/etcd-process.ts';
import { answerOf, createGuestbook } from '../support/guestbook.ts';
import { killInCreates } from '../support/kill-in-creates.ts';

/** The keys at which upstream keeps these objects in etcd. */
const expectedKeys = [
  '/registry/apiregistration.k8s.io/apiservices/v1.apps',
  '/registry/clusterrolebindings/cluster-admin',
  '/registry/clusterroles/cluster-admin',
  '/registry/configmaps/guestbook/front',
  '/registry/deployments/guestbook/front',
  '/registry/jobs/guestbook/first-entry',
  '/registry/leases/kube-node-lease/$NODE',
  '/registry/minions/$NODE',
  '/registry/namespaces/guestbook',
  '/registry/priorityclasses/system-node-critical',
  '/registry/ranges/servicenodeports',
  '/registry/secrets/guestbook/redis-password',
  '/registry/serviceaccounts/guestbook/default',
  '/registry/services/endpoints/guestbook/front',
  '/registry/services/specs/default/kubernetes',
  '/registry/services/specs/guestbook/front',
];
const expectedPrefixes = [
  '/registry/endpointslices/guestbook/front-',
  '/registry/events/guestbook/front',
  '/registry/pods/guestbook/front-',
  '/registry/replicasets/guestbook/front-',
];

describe('the guestbook on a real etcd', function () {
  this.timeout(240_000);
  let etcd: EtcdProcess;
  let cluster: TestCluster;
  before(async () => {
    etcd = await startEtcd();
    cluster = await startCluster({ node: true, storage: `etcd=${etcd.url}` });
  });
  after(async () => {
    try {
      await cluster?.stop();
    } finally {
      await etcd?.stop();
    }
  });

  it('becomes ready and answers', async () => {
    const app = createGuestbook(cluster, 'guestbook', ensureClients().newestKubectl);
    await app.deploy();
    const address = await app.run('get', 'service', 'front', '-o', 'jsonpath={.spec.clusterIP}');
    assert.match(await answerOf(`http://${address}/entries`), /^Welcome to the guestbook$/m);
  });

  it("its objects are at upstream's keys, in JSON", async () => {
    const keys = (await etcd.etcdctl('get', '--prefix', '/registry', '--keys-only')).split('\n').filter((line) => line !== '');
    const node = await cluster.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
    const missing = expectedKeys.map((key) => key.replace('$NODE', node)).filter((key) => !keys.includes(key));
    const missingPrefixes = expectedPrefixes.filter((prefix) => !keys.some((key) => key.startsWith(prefix)));
    assert.deepEqual([missing, missingPrefixes], [[], []], `the keys are:\n${keys.join('\n')}`);
    const value = JSON.parse(await etcd.etcdctl('get', '--print-value-only', '/registry/configmaps/guestbook/front')) as {
      kind: string;
      metadata: { name: string; resourceVersion?: string };
    };
    assert.deepEqual([value.kind, value.metadata.name, value.metadata.resourceVersion], ['ConfigMap', 'front', undefined]);
  });

  it('SIGKILL of the control plane in the middle of 1,000 creates loses nothing', async () => {
    await cluster.run(['create', 'namespace', 'killed']);
    await killInCreates(cluster, 'killed');
  });
});
