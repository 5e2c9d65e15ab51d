import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real etcd with one member on free ports of this machine, with its own data directory. */
export interface EtcdProcess {
  readonly endpoint: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again with the same data. */
  start(): Promise<void>;
  dispose(): Promise<void>;
}

/** `settings` are flags to add; with `scheme: 'https'` they must say with which certificates. */
export async function startEtcd(
  options: { settings?: Readonly<Record<string, string>>; scheme?: 'http' | 'https' } = {},
): Promise<EtcdProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'kubets-etcd-'));
  const [clientPort, peerPort] = await freePorts();
  const endpoint = `${options.scheme ?? 'http'}://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const settings: Readonly<Record<string, string>> = {
    'data-dir': join(directory, 'data'),
    'log-level': 'error',
    'unsafe-no-fsync': 'true', // the machine does not lose power here
    'heartbeat-interval': '10',
    'election-timeout': '100', // starts and expires leases sooner
    'listen-client-urls': endpoint,
    'advertise-client-urls': endpoint,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    ...options.settings,
  };
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  let running: ChildProcess | undefined;
  const etcd: EtcdProcess = {
    endpoint,
    async start() {
      const child = spawn('etcd', flags, { stdio: ['ignore', 'ignore', 'inherit'] });
      const failed = once(child, 'error').then(([error]) => error);
      const failure = await Promise.race([failed, once(child, 'spawn').then(() => undefined)]);
      if (failure) assert.fail(`etcd cannot be run (${failure}); on Debian or Ubuntu install it with: apt-get install etcd-server`);
      running = child;
    },
    async kill() {
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, 'exit');
      running.kill('SIGKILL');
      await exited;
    },
    async dispose() {
      await etcd.kill();
      await rm(directory, { recursive: true });
    },
  };
  await etcd.start();
  return etcd;
}

async function freePorts(): Promise<[number, number]> {
  const servers = await Promise.all([listenAnywhere(), listenAnywhere()]);
  const [first, second] = servers.map(({ port }) => port);
  for (const { server } of servers) server.close();
  return [first ?? 0, second ?? 0];
}

async function listenAnywhere() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return { server, port: address.port };
}
