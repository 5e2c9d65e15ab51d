import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type StartedCluster, startCluster } from '../../bench/start-target.ts';
import { knownCommands } from '../../bench/targets.ts';
import { createExchange, type Exchange } from '../exchange.ts';
import { createIdentities } from '../identities.ts';
import { mutationCases, policyCases } from './policy-cases.ts';
import { type PolicyTarget, replayPolicies } from './replay-policies.ts';

/** Records the verdicts of a kube-apiserver on policies: `node record-policies.ts KUBE-APISERVER DIRECTORY`. It needs etcd in the PATH. */
async function record(program: string, directory: string): Promise<void> {
  const command = (knownCommands['kube-apiserver'] ?? '').replace(
    /^exec kube-apiserver /,
    `exec ${JSON.stringify(program)} --feature-gates=MutatingAdmissionPolicy=true --runtime-config=admissionregistration.k8s.io/v1alpha1=true `,
  );
  const cluster = await startCluster('kube-apiserver', command);
  const exchange = exchangeWith(cluster);
  try {
    for (const [file, cases, sort] of [
      ['verdicts-v1.32.json', policyCases, { sort: 'Validating', version: 'v1' }],
      ['mutations-v1.32.json', mutationCases, { sort: 'Mutating', version: 'v1alpha1' }],
    ] as const) {
      const verdicts = await replayPolicies(targetOf(exchange), cases, sort);
      const lines = verdicts.map((verdict, index) => JSON.stringify({ name: cases[index]?.name, ...verdict }));
      writeFileSync(path.join(directory, file), `[\n${lines.join(',\n')}\n]\n`);
    }
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

const [program, directory] = process.argv.slice(2);
if (program === undefined || directory === undefined) throw new Error('usage: record-policies.ts KUBE-APISERVER DIRECTORY');
await record(program, directory);
