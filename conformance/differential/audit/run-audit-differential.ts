import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type StartedCluster, startCluster } from '../../bench/start-target.ts';
import { knownCommands } from '../../bench/targets.ts';
import { describeRequest, type DifferentialRequest, type Facts } from '../differential-request.ts';
import { createExchange } from '../exchange.ts';
import { generateRequests, type GeneratorOptions } from '../generate-requests.ts';
import { createIdentities } from '../identities.ts';
import { seed } from '../seed.ts';
import { type ComparedEvent, differingFields, readEvents } from './audit-events.ts';
import { auditRequests } from './audit-requests.ts';

interface AuditDifference {
  readonly request: DifferentialRequest;
  readonly lines: readonly string[];
}

interface AuditDifferential {
  readonly requests: number;
  readonly events: number;
  readonly differences: readonly AuditDifference[];
}

const policyFile = path.join(import.meta.dirname, 'audit-policy.yaml');
const flags = `--audit-policy-file="${policyFile}" --audit-log-path="$DIR/audit.log"`;
/** In which the last events are written. */
const settleMs = 2000;

/** Sends the same requests to both servers, with one audit policy, and compares the events of each request. */
async function runAuditDifferential(program: string, options: GeneratorOptions): Promise<AuditDifferential> {
  const started: StartedCluster[] = [];
  try {
    const ours = await startCluster('kubets', `${knownCommands['kubets'] ?? ''} --storage memory ${flags}`);
    started.push(ours);
    const command = (knownCommands['kube-apiserver'] ?? '').replace(/^exec kube-apiserver /, `exec ${JSON.stringify(program)} `);
    started.unshift(await startCluster('kube-apiserver', `${command} ${flags}`, { keysOf: ours }));
    const identities = createIdentities(ours.pki);
    const requests = [...auditRequests(), ...generateRequests(options, identities.keys())];
    const logs: ReadonlyMap<string, ComparedEvent[]>[] = [];
    for (const cluster of started) {
      const facts: Facts = new Map([['port', String(cluster.port)]]);
      const ca = readFileSync(path.join(cluster.pki, 'ca.crt'), 'utf8');
      const exchange = createExchange({ name: '', port: cluster.port, ca, facts }, identities);
      await seed(exchange, facts, ours.pki);
      for (const [index, request] of requests.entries())
        await exchange.send({ ...request, headers: [...(request.headers ?? []), ['Audit-ID', `request-${index}`]] }).catch(() => undefined);
      exchange.close();
      await delay(settleMs);
      const log = readFileSync(path.join(path.dirname(cluster.kubeconfig), 'audit.log'), 'utf8');
      logs.push(Map.groupBy(readEvents(log, facts), ({ auditID }) => auditID));
    }
    return compare(requests, logs);
  } finally {
    for (const cluster of started) await cluster.stop();
  }
}

function compare(
  requests: readonly DifferentialRequest[],
  [theirs, ours]: readonly ReadonlyMap<string, ComparedEvent[]>[],
): AuditDifferential {
  const differences: AuditDifference[] = [];
  let events = 0;
  for (const [index, request] of requests.entries()) {
    const [left = [], right = []] = [theirs, ours].map((log) => log?.get(`request-${index}`));
    events += left.length;
    const [leftStages, rightStages] = [left, right].map((list) => list.map(({ stage }) => stage).join());
    const lines =
      leftStages === rightStages
        ? left.flatMap(({ stage, fields }, at) => differingFields(fields, right[at]?.fields, stage))
        : [`stages: theirs ${leftStages}, ours ${rightStages}`];
    if (lines.length > 0) differences.push({ request, lines });
  }
  return { requests: requests.length, events, differences };
}

if (import.meta.main) {
  const program = process.env['KUBETS_UPSTREAM_APISERVER'];
  if (program === undefined) {
    console.error('Compares audit events with those of the kube-apiserver that KUBETS_UPSTREAM_APISERVER names. [EACH [PATHS [SEED]]]');
    process.exit(2);
  }
  const [each = 20, paths = 50, seedOf = 1] = process.argv.slice(2).map(Number);
  const { requests, events, differences } = await runAuditDifferential(program, { each, paths, seed: seedOf });
  for (const { request, lines } of differences)
    console.log([describeRequest(request), ...lines.map((line) => `    ${line.slice(0, 1000)}`)].join('\n'));
  console.log(`${requests} requests, ${events} events, ${differences.length} of the requests with different events`);
  process.exitCode = differences.length === 0 ? 0 : 1;
}
