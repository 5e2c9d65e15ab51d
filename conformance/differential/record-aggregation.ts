import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { type Ask, runAggregationCases } from '../../server/apiserver/aggregator/testing/aggregation-cases.ts';
import { startExtensionServer } from '../../server/apiserver/aggregator/testing/extension-server.ts';
import { machineAddress } from '../../server/control-plane/addresses.ts';
import { knownCommands } from '../bench/targets.ts';
import { type StartedCluster, startCluster } from '../bench/start-target.ts';

/**
 * Runs the cases of aggregated API servers against a real kube-apiserver, or kubets, and writes the results as a table: node
 * conformance/differential/record-aggregation.ts KUBE-APISERVER|kubets FILE. Needs etcd.
 */
const [program = '', file = ''] = process.argv.slice(2);
const theirs = (knownCommands['kube-apiserver'] ?? '').replace(
  /^exec kube-apiserver /,
  `exec ${JSON.stringify(program)} --enable-aggregator-routing=true `,
);

function asker({ port, pki }: StartedCluster): Ask {
  const read = (name: string) => readFileSync(path.join(pki, name));
  const credentials = { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') };
  return async (method, target, { headers = {}, body } = {}) => {
    const request = https.request({
      host: '127.0.0.1',
      port,
      method,
      path: target,
      agent: false,
      ...credentials,
      headers: { accept: 'application/json', ...headers } as Record<string, string | string[]>,
    });
    request.end(body);
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (!response) throw new Error('no response');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  };
}

const cluster = await startCluster('aggregation', program === 'kubets' ? (knownCommands['kubets-memory'] ?? '') : theirs);
const extension = await startExtensionServer(machineAddress(), ['api.ext.svc']);
try {
  const rows: string[] = [];
  for await (const row of runAggregationCases(asker(cluster), extension)) {
    rows.push(JSON.stringify(row));
    console.log(rows.at(-1));
  }
  writeFileSync(file, `[\n${rows.join(',\n')}\n]\n`);
} finally {
  await extension.close();
  await cluster.stop();
}
