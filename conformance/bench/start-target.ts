import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { formatKubeconfig } from '../../server/cli/data-dir/kubeconfig.ts';
import { allAddresses, firstAddress, machineAddress } from '../../server/control-plane/addresses.ts';
import { createPKIFiles } from '../../server/control-plane/pki-files.ts';
import { ensureClusterPKI } from '../../server/pki/ensure-cluster-pki.ts';
import { freePort } from '../clients/support/cluster.ts';
import { findListener } from './processes.ts';

const root = path.resolve(import.meta.dirname, '../..');
const pollEveryMs = 5;
const readyWithinMs = 120_000;

/** Process groups and directories that are there for no longer than this process is, however it ends. */
const groups = new Set<number>();
const directories = new Set<string>();

function leaveNothing(): void {
  for (const group of groups) process.kill(-group, 'SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

process.once('exit', leaveNothing);
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(status));

function follow(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  groups.add(pid);
  child.once('exit', () => groups.delete(pid));
}

/** A control plane on its own directory, which can be stopped and started again. */
export interface StartedCluster {
  readonly kubeconfig: string;
  readonly port: number;
  /** The directory with keys and certificates. */
  readonly pki: string;
  /** The time from the start of its process until /readyz succeeds. */
  readonly readyMs: number;
  readonly pid: number;
  readonly storePid: number | undefined;
  /** Ends the server, and starts it again on the same data. */
  restart(): Promise<void>;
  /** Ends everything and removes the directory. */
  stop(): Promise<void>;
}

/**
 * Makes a directory with keys, certificates and kubeconfig, runs an etcd if the command speaks of one, and then the
 * command with $DIR, $PORT, $PKI, $ETCD, $NODE and $KUBETS in its environment. Keys and certificates may be those of another cluster.
 */
export async function startCluster(name: string, command: string, { keysOf }: { keysOf?: StartedCluster } = {}): Promise<StartedCluster> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-bench-'));
  directories.add(directory);
  const remove = () => {
    rmSync(directory, { recursive: true });
    directories.delete(directory);
  };
  const pki = path.join(directory, 'pki');
  const port = await freePort();
  if (keysOf) cpSync(keysOf.pki, pki, { recursive: true });
  const kubeconfig = await makeCredentials(directory, pki, port);
  const etcd = command.includes('$ETCD') ? await startEtcd(directory) : undefined;
  const environment = {
    ...process.env,
    DIR: directory,
    PKI: pki,
    PORT: String(port),
    ETCD: etcd?.endpoint ?? '',
    NODE: process.execPath,
    KUBETS: process.env['KUBETS'] ?? path.join(root, 'server/cli/kubets.mjs'),
  };
  const logFile = path.join(directory, `${name}.log`);
  const start = () => startServer(name, command, environment, port, logFile);
  let server: StartedServer | undefined;
  try {
    server = await start();
  } catch (error) {
    await etcd?.stop();
    remove();
    throw error;
  }
  let current = server;
  return {
    kubeconfig,
    port,
    pki,
    get readyMs() {
      return current.readyMs;
    },
    get pid() {
      return current.pid;
    },
    storePid: etcd?.pid,
    async restart() {
      await endProcess(current.child, 'SIGTERM');
      current = await start();
    },
    async stop() {
      await endProcess(current.child, 'SIGKILL');
      await etcd?.stop();
      remove();
    },
  };
}

async function makeCredentials(directory: string, pkiDirectory: string, port: number): Promise<string> {
  const pki = await ensureClusterPKI({
    files: createPKIFiles(pkiDirectory),
    logger: silentLogger,
    clock: systemClock,
    random: systemRandom,
    clusterDomain: 'cluster.local',
    serviceAddresses: [firstAddress('10.96.0.0/12')],
    hostNames: [os.hostname()],
    addresses: [...new Set([machineAddress(), ...allAddresses()])],
  });
  const file = path.join(directory, 'kubeconfig');
  const server = `https://127.0.0.1:${port}`;
  const { admin, clusterCA } = pki;
  writeFileSync(file, formatKubeconfig({ server, ca: clusterCA.certificatePEM, certificate: admin.certificatePEM, key: admin.keyPEM }), {
    mode: 0o600,
  });
  return file;
}

interface StartedServer {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly readyMs: number;
}

async function startServer(name: string, command: string, env: NodeJS.ProcessEnv, port: number, logFile: string): Promise<StartedServer> {
  const log = openSync(logFile, 'a');
  const startedMs = performance.now();
  const child = spawn('sh', ['-c', command], { cwd: env['DIR'], env, stdio: ['ignore', log, log], detached: true });
  follow(child);
  closeSync(log);
  while (!(await isReady(port))) {
    const isEnded = child.exitCode !== null || child.signalCode !== null;
    if (isEnded || performance.now() - startedMs > readyWithinMs) {
      await endProcess(child, 'SIGKILL');
      const last = readFileSync(logFile, 'utf8').split('\n').slice(-4).join('\n');
      throw new Error(`${name} ${isEnded ? `ended with ${child.exitCode}` : 'was not ready in time'}; the end of its log:\n${last}`);
    }
    await delay(pollEveryMs);
  }
  const readyMs = performance.now() - startedMs;
  const pid = findListener(port);
  if (pid === undefined) throw new Error(`${name} is ready, but no process listens on port ${port}`);
  return { child, pid, readyMs };
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    request.on('error', () => resolve(false));
  });
}

interface StartedEtcd {
  readonly endpoint: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** With etcd's own defaults, so that acknowledged writes are on the disk. */
async function startEtcd(directory: string): Promise<StartedEtcd> {
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const settings = {
    'data-dir': path.join(directory, 'etcd'),
    'log-level': 'error',
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
  };
  const args = Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`);
  const child = spawn('etcd', args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  follow(child);
  const failed = once(child, 'error').then(([error]: unknown[]) => {
    throw new Error('etcd cannot be run; on Debian or Ubuntu: apt-get install etcd-server', { cause: error });
  });
  await Promise.race([failed, untilHealthy(client)]);
  failed.catch(() => {});
  return { endpoint: client, pid: child.pid ?? 0, stop: () => endProcess(child, 'SIGKILL') };
}

async function untilHealthy(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const isHealthy = await fetch(`${endpoint}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isHealthy) return;
    await delay(10);
  }
  throw new Error('etcd was not healthy in time');
}

const killAfterMs = 10_000;

/** Its whole process group, so that nothing of a shell's children stays. */
async function endProcess(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const { pid } = child;
  const ended = once(child, 'exit');
  process.kill(-pid, signal);
  const late = setTimeout(() => process.kill(-pid, 'SIGKILL'), killAfterMs);
  await ended;
  clearTimeout(late);
}
