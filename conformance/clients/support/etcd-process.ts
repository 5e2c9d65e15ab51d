import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runSuccessfully } from '../../framework/run-program.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { freePort } from './cluster.ts';

/** A real etcd with one member, on its own data dir. */
export interface EtcdProcess {
  readonly url: string;
  etcdctl(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export async function startEtcd(): Promise<EtcdProcess> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-etcd-'));
  const [url, peerURL] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const child = spawn(
    'etcd',
    [
      ...['--data-dir', directory, '--listen-client-urls', url, '--advertise-client-urls', url],
      ...['--listen-peer-urls', peerURL, '--initial-advertise-peer-urls', peerURL, '--initial-cluster', `default=${peerURL}`],
      ...['--log-level', 'error'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const etcdctl = (...args: readonly string[]) =>
    runSuccessfully('etcdctl', ['--endpoints', url, ...args], { env: { ETCDCTL_API: '3' }, timeoutSeconds: 20 });
  await waitFor('etcd', async () => (await etcdctl('endpoint', 'health').catch(() => undefined)) !== undefined, { withinSeconds: 20 });
  return {
    url,
    etcdctl,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}
