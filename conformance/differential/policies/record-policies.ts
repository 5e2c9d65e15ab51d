import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type StartedCluster, startCluster } from '../../bench/start-target.ts';
import { knownCommands } from '../../bench/targets.ts';
import { createExchange, type Exchange } from '../exchange.ts';
import { createIdentities } from '../identities.ts';
import { policyCases } from './policy-cases.ts';
import { type PolicyTarget, replayPolicies } from './replay-policies.ts';

/** Records the verdicts of a kube-apiserver on policies: `node record-policies.ts KUBE-APISERVER FILE`. It needs etcd in the PATH. */
async function record(program: string, file: string): Promise<void> {
  const command = (knownCommands['kube-apiserver'] ?? '').replace(/^exec kube-apiserver /, `exec ${JSON.stringify(program)} `);
  const cluster = await startCluster('kube-apiserver', command);
  const exchange = exchangeWith(cluster);
  try {
    const verdicts = await replayPolicies(targetOf(exchange), policyCases);
    const lines = verdicts.map((verdict, index) => JSON.stringify({ name: policyCases[index]?.name, ...verdict }));
    writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`);
  } finally {
    exchange.close();
    await cluster.stop();
  }
}

function exchangeWith({ port, pki }: StartedCluster): Exchange {
  const ca = readFileSync(path.join(pki, 'ca.crt'), 'utf8');
  return createExchange({ name: '', port, ca, facts: new Map() }, createIdentities(pki));
}

function targetOf(exchange: Exchange): PolicyTarget {
  return {
    async call(method, target, body) {
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const answer = await exchange.send({ part: 'policies', as: 'admin', method, path: target, body, contentType });
      const warning = answer.warnings.join(', ');
      return {
        status: answer.status,
        warning: warning === '' ? undefined : warning,
        body: JSON.parse(answer.body) as Readonly<Record<string, unknown>>,
      };
    },
    pause: () => delay(1000),
  };
}

const [program, file] = process.argv.slice(2);
if (program === undefined || file === undefined) throw new Error('usage: record-policies.ts KUBE-APISERVER FILE');
await record(program, file);
