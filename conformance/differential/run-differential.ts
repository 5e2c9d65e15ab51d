import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { knownCommands } from '../bench/targets.ts';
import { type StartedCluster, startCluster } from '../bench/start-target.ts';
import { differencesOf, type Verdict, verdictOf } from './compare-answers.ts';
import { deviations } from './deviations.ts';
import { describeRequest, type DifferentialRequest, type Facts } from './differential-request.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { generateRequests, type GeneratorOptions } from './generate-requests.ts';
import { createIdentities, type Identity } from './identities.ts';
import { seed } from './seed.ts';

interface Difference {
  readonly request: DifferentialRequest;
  readonly theirs: Verdict;
  readonly ours: Verdict;
  readonly parts: readonly (keyof Verdict)[];
}

export interface DifferentialResult {
  /** Requests of each part of the generator. */
  readonly counts: ReadonlyMap<string, number>;
  /** How often each deviation was seen, by its reason. */
  readonly deviations: ReadonlyMap<string, number>;
  readonly differences: readonly Difference[];
}

const admissionConfiguration = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: privileged, enforce-version: latest, audit: privileged, audit-version: latest, warn: privileged, warn-version: latest}
    exemptions: {usernames: [], runtimeClasses: [], namespaces: [exempt]}
`;

interface Server {
  readonly exchange: Exchange;
  readonly facts: Facts;
}

/** Starts both servers with the same keys and files, sends both the same requests one by one, and reports where their answers differ. */
export async function runDifferential(program: string, options: GeneratorOptions): Promise<DifferentialResult> {
  const started: StartedCluster[] = [];
  try {
    const ours = await startCluster('kubets', withFiles(`${knownCommands['kubets'] ?? ''} --storage memory`));
    started.push(ours);
    const command = (knownCommands['kube-apiserver'] ?? '').replace(/^exec kube-apiserver /, `exec ${JSON.stringify(program)} `);
    const theirs = await startCluster('kube-apiserver', withFiles(command), { keysOf: ours });
    started.push(theirs);
    const identities = createIdentities(ours.pki);
    const servers = [theirs, ours].map((cluster) => serverOf(cluster, identities));
    for (const { exchange, facts } of servers) await seed(exchange, facts, ours.pki);
    try {
      return await compare(servers, generateRequests(options, identities.keys()));
    } finally {
      for (const { exchange } of servers) exchange.close();
    }
  } finally {
    for (const cluster of started) await cluster.stop();
  }
}

/** The command with the same configuration files as the other's. */
function withFiles(command: string): string {
  return `cat > "$DIR/admission.yaml" <<'END'\n${admissionConfiguration}END\n${command} --admission-control-config-file="$DIR/admission.yaml"`;
}

function serverOf(cluster: StartedCluster, identities: ReadonlyMap<string, Identity>): Server {
  const facts: Facts = new Map([['port', String(cluster.port)]]);
  const ca = readFileSync(path.join(cluster.pki, 'ca.crt'), 'utf8');
  return { exchange: createExchange({ name: '', port: cluster.port, ca, facts }, identities), facts };
}

async function compare([theirs, ours]: readonly Server[], requests: Iterable<DifferentialRequest>): Promise<DifferentialResult> {
  if (!theirs || !ours) throw new Error('there are two servers');
  const counts = new Map<string, number>();
  const seen = new Map<string, number>(deviations.map(({ reason }) => [reason, 0]));
  const differences: Difference[] = [];
  for (const request of requests) {
    counts.set(request.part, (counts.get(request.part) ?? 0) + 1);
    const [theirVerdict, ourVerdict] = await Promise.all([verdict(theirs, request), verdict(ours, request)]);
    const parts = differencesOf(theirVerdict, ourVerdict);
    if (parts.length === 0) continue;
    // The administrator's answer shows whether the path exists.
    const asAdmin = theirVerdict.status === 403 ? await verdict(theirs, { ...request, as: 'admin' }) : theirVerdict;
    const deviation = deviations.find((one) => one.matches({ request, theirs: theirVerdict, ours: ourVerdict, asAdmin }));
    if (deviation) seen.set(deviation.reason, (seen.get(deviation.reason) ?? 0) + 1);
    else differences.push({ request, theirs: theirVerdict, ours: ourVerdict, parts });
  }
  return { counts, deviations: seen, differences };
}

async function verdict({ exchange, facts }: Server, request: DifferentialRequest): Promise<Verdict> {
  try {
    return verdictOf(await exchange.send(request), facts);
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code ?? error);
    return { status: 0, kind: '', reason: '', message: code, details: null, warnings: [], review: null };
  }
}

export function describeDifference({ request, theirs, ours, parts }: Difference): string {
  const show = (of: Verdict) => parts.map((part) => `${part}=${JSON.stringify(of[part])}`).join(' ');
  return `${describeRequest(request)}\n    theirs (${theirs.status}): ${show(theirs)}\n    ours   (${ours.status}): ${show(ours)}`;
}

const usage = `Compares kubets with the kube-apiserver that KUBETS_UPSTREAM_APISERVER names.
  node conformance/differential/run-differential.ts [EACH [PATHS [SEED]]]`;

if (import.meta.main) {
  const program = process.env['KUBETS_UPSTREAM_APISERVER'];
  if (program === undefined) {
    console.error(usage);
    process.exit(2);
  }
  const [each = 300, paths = 10_000, seedOf = 1] = process.argv.slice(2).map(Number);
  const result = await runDifferential(program, { each, paths, seed: seedOf });
  for (const difference of result.differences) console.log(describeDifference(difference));
  for (const [reason, count] of result.deviations) console.log(`${count} times: ${reason}`);
  const total = [...result.counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${total} requests (${[...result.counts].map(([part, count]) => `${part} ${count}`).join(', ')})`);
  console.log(`${result.differences.length} differences`);
  writeFileSync(process.env['DIFF_JSON'] ?? '/dev/null', JSON.stringify(result.differences));
  process.exitCode = result.differences.length === 0 ? 0 : 1;
}
