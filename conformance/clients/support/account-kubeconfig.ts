import path from 'node:path';
import type { TestCluster } from './cluster.ts';

/** Writes a kubeconfig with a token of a ServiceAccount, and so with its rights and nothing more; returns its path. */
export async function writeAccountKubeconfig(cluster: TestCluster, namespace: string, account: string): Promise<string> {
  const kubeconfig = path.join(cluster.dataDir, `${account}.kubeconfig`);
  const token = await cluster.run(['create', 'token', account, '-n', namespace]);
  const config = (...rest: string[]) => cluster.run(['--kubeconfig', kubeconfig, 'config', ...rest]);
  const certificate = path.join(cluster.dataDir, 'pki/ca.crt');
  await config(
    'set-cluster',
    'kubets',
    `--server=https://127.0.0.1:${cluster.port}`,
    '--embed-certs',
    `--certificate-authority=${certificate}`,
  );
  await config('set-credentials', account, `--token=${token.trim()}`);
  await config('set-context', account, '--cluster=kubets', `--user=${account}`);
  await config('use-context', account);
  return kubeconfig;
}
