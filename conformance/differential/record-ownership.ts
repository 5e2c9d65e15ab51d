import { writeFileSync } from 'node:fs';
import { systemClock } from '../../api/base/system-clock.ts';
import { createHTTPTransport } from '../../api/client/http-transport.ts';
import { readKubeconfig } from '../../node-agent/linux/files/read-kubeconfig.ts';
import { createAPICaller } from '../../server/apiserver/testing/api-caller.ts';
import { ownershipCases, prepareOwnership, runOwnershipCase } from '../../server/apiserver/verbs/testing/version-ownership.ts';
import { startCluster } from '../bench/start-target.ts';
import { knownCommands } from '../bench/targets.ts';

/**
 * Sends the writes of ownershipCases to a real kube-apiserver and writes its answers as a table:
 * node conformance/differential/record-ownership.ts KUBE-APISERVER FILE. Needs etcd.
 */
const [program = '', file = ''] = process.argv.slice(2);
const command = (knownCommands['kube-apiserver'] ?? '').replace(/^exec kube-apiserver /, `exec ${JSON.stringify(program)} `);
const cluster = await startCluster('kube-apiserver', command);
const { token: _token, ...settings } = await readKubeconfig(cluster.kubeconfig);
const connection = createHTTPTransport({ ...settings, clock: systemClock });
try {
  const api = createAPICaller(connection.transport);
  await prepareOwnership(api);
  const results: Record<string, unknown> = {};
  for (const one of ownershipCases) results[one.name] = await runOwnershipCase(one, api);
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(`${ownershipCases.length} cases`);
} finally {
  connection.close();
  await cluster.stop();
}
process.exit(0);
