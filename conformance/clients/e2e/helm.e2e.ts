import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { ensureClients } from '../support/ensure-clients.ts';
import { answerOf, guestbookChart, until } from '../support/guestbook.ts';

describe('Helm with the chart of docs/guestbook', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: true });
  });
  after(() => cluster?.stop());
  for (const { version, path } of ensureClients().helm)
    describe(`Helm ${version}`, () => useHelm(() => cluster, path, `charts-${version}`));
});

function useHelm(theCluster: () => TestCluster, program: string, namespace: string): void {
  const helm = async (...args: string[]) => {
    const { code, stdout, stderr } = await theCluster().helm(program, [...args, '--namespace', namespace]);
    assert.equal(code, 0, `helm ${args.join(' ')}:\n${stdout}${stderr}`);
    return stdout;
  };
  const page = async () => {
    const address = await theCluster().run(['-n', namespace, 'get', 'service', 'front', '-o', 'jsonpath={.spec.clusterIP}']);
    return (await answerOf(`http://${address}/`)).trim();
  };

  it('install --wait makes it ready', async () => {
    const text = await helm('install', 'front', guestbookChart, '--create-namespace', '--wait', '--timeout', '120s');
    assert.match(text, /^STATUS: deployed$/m);
    assert.equal(await page(), 'Hello from Helm');
    assert.equal(await theCluster().run(['-n', namespace, 'get', 'deployment', 'front', '-o', 'jsonpath={.status.readyReplicas}']), '2');
  });

  it('list, status and get manifest know it', async () => {
    assert.match(await helm('list'), /^front\s+charts-\d\s+1\s+.*\sdeployed\s+guestbook-front-0\.1\.0\s+1\.26/m);
    assert.match(await helm('status', 'front'), /^REVISION: 1$/m);
    assert.match(await helm('get', 'manifest', 'front'), /^kind: Deployment$/m);
  });

  it('upgrade changes it', async () => {
    await helm('upgrade', 'front', guestbookChart, '--set', 'greeting=Changed,replicas=3', '--wait', '--timeout', '120s');
    await until('the new page', async () => (await page()) === 'Changed');
    assert.equal(await theCluster().run(['-n', namespace, 'get', 'deployment', 'front', '-o', 'jsonpath={.spec.replicas}']), '3');
  });

  it('rollback brings back what was', async () => {
    await helm('rollback', 'front', '1', '--wait', '--timeout', '120s');
    await until('the old page', async () => (await page()) === 'Hello from Helm');
    assert.match(await helm('history', 'front'), /^3\s+.*\sdeployed\s.*Rollback to 1/m);
    assert.equal(await theCluster().run(['-n', namespace, 'get', 'deployment', 'front', '-o', 'jsonpath={.spec.replicas}']), '2');
  });

  it('uninstall removes it', async () => {
    await helm('uninstall', 'front', '--wait', '--timeout', '120s');
    const left = (kinds: string) =>
      theCluster().run(['-n', namespace, 'get', kinds, '-l', 'app.kubernetes.io/instance=front', '-o', 'name']);
    assert.equal(await left('deployments,services,configmaps'), '');
    // Helm deletes in the background: dependents are deleted later.
    await until('removal of ReplicaSets and Pods', async () => (await left('replicasets,pods')) === '');
    assert.doesNotMatch(await helm('list'), /front/);
  });
}
