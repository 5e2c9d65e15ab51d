import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/guestbook.ts';
import { spreadApplication } from '../support/spread-application.ts';

/** The file that a network plugin's DaemonSet would install on the node. */
const conflist = {
  cniVersion: '1.0.0',
  name: 'own',
  plugins: [
    { type: 'ptp', ipam: { type: 'host-local', subnet: '10.77.0.0/24', routes: [{ dst: '0.0.0.0/0' }] } },
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
  ],
};

/** The pod network is left to a plugin of the user's own; Services and DNS are still the agent's. */
describe('an external network', function () {
  this.timeout(90_000);
  let cluster: TestCluster;
  const app = spreadApplication(() => cluster, { nodes: ['node-1'] });
  const configDirectory = (dataDir: string) => path.join(dataDir, 'nodes/node-1/private/etc/cni/net.d');

  before(async () => {
    const flags = ['--nodes', '1', '--nodes-cidr', '172.29.238.0/24', '--pod-network', 'external', '--cluster-cidr', '10.77.0.0/16'];
    cluster = await startCluster({
      node: true,
      extraFlags: flags,
      prepare(dataDir) {
        mkdirSync(configDirectory(dataDir), { recursive: true });
        writeFileSync(path.join(configDirectory(dataDir), '10-own.conflist'), JSON.stringify(conflist));
      },
    });
    await app.deploy();
  });
  after(() => cluster?.stop());

  it('gives Pods their addresses', async () => {
    for (const { ip } of await app.pods()) assert.match(ip, /^10\.77\.0\./);
    assert.deepEqual(readdirSync(configDirectory(cluster.dataDir)), ['10-own.conflist']);
  });

  it('carries Services and DNS', async () => {
    await until('an answer', async () => (await app.ask('node-1', 'http://web.default.svc.cluster.local/')) !== undefined, 10);
    assert.deepEqual(await app.whoAnswers('node-1', `http://${await app.clusterIP()}/`), await app.names());
  });
});
