import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { ensureClients } from '../support/ensure-clients.ts';
import { answerOf, createGuestbook, type Guestbook, until } from '../support/guestbook.ts';
import { killInCreates } from '../support/kill-in-creates.ts';

describe('SIGKILL while the guestbook runs', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  let app: Guestbook;
  let url: string;
  before(async () => {
    cluster = await startCluster({ node: true });
    app = createGuestbook(cluster, 'guestbook', ensureClients().newestKubectl);
    await app.deploy();
    url = `http://${await app.run('get', 'service', 'front', '-o', 'jsonpath={.spec.clusterIP}')}/entries`;
  });
  after(() => cluster?.stop());

  /** Every container of the application with its id and how often it was restarted. */
  async function containers(): Promise<Record<string, string>> {
    const api = await cluster.connect();
    try {
      const { items } = await api.client(pods).list({ namespace: 'guestbook', labelSelector: 'app' });
      const all = items.flatMap(({ metadata, status }) =>
        (status?.containerStatuses ?? []).map((one) => [
          `${metadata.name}/${one.name}`,
          `${one.containerID} restarted ${one.restartCount} times`,
        ]),
      );
      assert.ok(items.every(isPodReady), 'not every Pod is ready');
      return Object.fromEntries(all) as Record<string, string>;
    } finally {
      api.close();
    }
  }

  /** Cluster DNS is part of the agent: names are not resolved for the moment in which it is replaced. */
  const stillAnswers = async () => /^Welcome to the guestbook$/m.test(await answerOf(url));
  const nodeIsReady = async () =>
    (await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].status}'])).stdout === 'True';

  it('of the control plane: nothing acknowledged is lost, no container is restarted', async () => {
    const before = await containers();
    assert.equal(Object.keys(before).length, 5);
    await cluster.run(['create', 'namespace', 'killed']);
    await killInCreates(cluster, 'killed');
    await until('the node is ready', nodeIsReady, 60);
    assert.deepEqual(await containers(), before);
    await until('the entries', stillAnswers);
  });

  it('of the node agent: it is started again, adopts the containers, and works on', async () => {
    const before = await containers();
    const pidFile = path.join(cluster.dataDir, 'node/agent.pid');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until('another agent', async () => Number(readFileSync(pidFile, 'utf8')) !== pid, 30);
    await until('the entries', stillAnswers);
    await app.run('scale', 'deployment/front', '--replicas=4');
    await app.run('rollout', 'status', 'deployment/front', '--timeout=60s');
    await app.run('scale', 'deployment/front', '--replicas=3');
    await until('three replicas', async () => Object.keys(await containers().catch(() => ({}))).length === 5, 60);
    const after = await containers();
    const kept = Object.entries(before).filter(([name, id]) => after[name] === id);
    // Scaling down may have removed one of the old Pods instead of the new one; none was restarted.
    assert.ok(kept.length >= 4, `${JSON.stringify(before)} became ${JSON.stringify(after)}`);
    for (const id of Object.values(after)) assert.match(id, / restarted 0 times$/);
    assert.equal((await app.kubectl(['exec', await app.podOf('front'), '--', 'true'])).code, 0);
    await until('the node is ready', nodeIsReady, 60);
  });
});
