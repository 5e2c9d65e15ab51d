import { writeFileSync } from 'node:fs';
import { systemClock } from '../../api/base/system-clock.ts';
import { createHTTPTransport } from '../../api/client/http-transport.ts';
import { readKubeconfig } from '../../node-agent/linux/files/read-kubeconfig.ts';
import { startRecordingWebhook } from '../../server/apiserver/admission/webhooks/testing/recording-webhook.ts';
import { type CaseResult, prepareCases, runWebhookCase } from '../../server/apiserver/admission/webhooks/testing/run-webhook-case.ts';
import { webhookCases } from '../../server/apiserver/admission/webhooks/testing/webhook-cases.ts';
import { createAPICaller } from '../../server/apiserver/testing/api-caller.ts';
import { startCluster } from '../bench/start-target.ts';
import { knownCommands } from '../bench/targets.ts';

/**
 * Sends the requests of webhookCases to a real kube-apiserver and writes its answers, and the AdmissionReviews that the webhooks
 * got, as a table: node conformance/differential/record-webhooks.ts KUBE-APISERVER FILE [CASES]. Needs etcd. With `kubets` in the
 * place of the program, kubets is asked.
 */
const [program = '', file = '', only = ''] = process.argv.slice(2);
const command =
  program === 'kubets'
    ? (knownCommands['kubets-memory'] ?? '')
    : (knownCommands['kube-apiserver'] ?? '').replace(/^exec kube-apiserver /, `exec ${JSON.stringify(program)} `);
const webhook = await startRecordingWebhook();
const cluster = await startCluster(program === 'kubets' ? 'kubets' : 'kube-apiserver', command);
const { token: _token, ...settings } = await readKubeconfig(cluster.kubeconfig);
const connection = createHTTPTransport({ ...settings, clock: systemClock });
try {
  const api = createAPICaller(connection.transport);
  await prepareCases(api);
  const results: CaseResult[] = [];
  for (const [index, one] of webhookCases.entries())
    if (one.name.includes(only)) {
      results.push(await runWebhookCase(one, index, api, webhook));
      if (process.env['RECORD_LOG'] !== undefined) console.log(one.name);
    }
  writeFileSync(file, `[\n${results.map((result) => JSON.stringify(result)).join(',\n')}\n]\n`);
  console.log(`${results.length} cases`);
} finally {
  connection.close();
  await cluster.stop();
  await webhook.close();
}
process.exit(0);
