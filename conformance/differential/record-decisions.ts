import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  configurationOf,
  type Decision,
  decisionOf,
  decisionRequests,
  type DecisionRequest,
  impersonationHeaders,
  kubeconfigOf,
  startRecordingWebhook,
} from '../../server/apiserver/authorization/testing/decision-cases.ts';

/**
 * Asks a real kube-apiserver all decisionRequests and writes its answers, and the reviews that it took, as a table:
 * node conformance/differential/record-decisions.ts KUBE-APISERVER FILE. Needs etcd.
 */
const [program = '', file = ''] = process.argv.slice(2);
const folder = mkdtempSync(path.join(tmpdir(), 'record-decisions-'));
const [etcdPort, etcdPeerPort, port, token] = [23_790, 23_800, 26_443, 'recorder'];
const at = (name: string) => path.join(folder, name);
const processes: ChildProcess[] = [];

function run(command: string, args: readonly string[]): void {
  processes.push(spawn(command, args, { stdio: ['ignore', 'ignore', process.env['RECORD_LOG'] === undefined ? 'ignore' : 'inherit'] }));
}

function ask(method: string, target: string, headers: readonly (readonly [string, string])[], body?: object): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const own = { host: '127.0.0.1', authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': 'application/json' };
    const flat = [...headers, ...Object.entries({ ...own, 'content-length': String(Buffer.byteLength(text)) })];
    const request = https.request(
      { host: '127.0.0.1', port, method, path: target, headers: flat.flat(), rejectUnauthorized: false },
      (response) => {
        let answer = '';
        response.on('data', (chunk: Buffer) => (answer += chunk.toString()));
        response.on('end', () => resolve([response.statusCode ?? 0, answer]));
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

async function untilReady(): Promise<void> {
  for (let attempt = 0; attempt < 180; attempt++) {
    const [status] = await ask('GET', '/readyz', []).catch(() => [0]);
    const [made] = status === 200 ? await ask('GET', '/api/v1/namespaces/default', []) : [0];
    if (made === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error('the kube-apiserver does not become ready');
}

const webhook = await startRecordingWebhook();
try {
  for (const name of ['first', 'second']) writeFileSync(at(name), kubeconfigOf(webhook.port, name));
  writeFileSync(at('authorization.yaml'), configurationOf({ first: at('first'), second: at('second') }));
  writeFileSync(at('tokens.csv'), `${token},admin,1,system:masters\n`);
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(at('sa.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  run('etcd', [
    ...[`--data-dir=${at('etcd')}`, `--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=default=${peer}`],
  ]);
  run(program, [
    ...[`--etcd-servers=${client}`, `--secure-port=${port}`, '--bind-address=127.0.0.1', `--cert-dir=${at('certs')}`],
    ...[`--authorization-config=${at('authorization.yaml')}`, `--token-auth-file=${at('tokens.csv')}`],
    ...['--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${at('sa.key')}`],
    ...[`--service-account-signing-key-file=${at('sa.key')}`, '--service-cluster-ip-range=10.96.0.0/16'],
  ]);
  await untilReady();
  webhook.take();
  const recorded: (DecisionRequest & { readonly decision: Decision })[] = [];
  for (const request of decisionRequests) {
    const [status, text] = await ask(request.method, request.path, impersonationHeaders(request), request.body);
    recorded.push({ ...request, decision: decisionOf(status, text, webhook.take()) });
  }
  writeFileSync(file, `[\n${recorded.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  console.log(`${recorded.length} requests recorded`);
} finally {
  webhook.close();
  for (const one of processes.toReversed()) one.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 500));
  rmSync(folder, { recursive: true, force: true });
}
