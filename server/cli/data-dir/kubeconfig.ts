import { dump, load } from 'js-yaml';

/** The content of a kubeconfig with one cluster and one user; certificates and key in PEM. */
export interface Credentials {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const pem = (data: unknown) => Buffer.from(String(data), 'base64').toString();

export function formatKubeconfig(credentials: Credentials, userName = 'kubernetes-admin'): string {
  const cluster = 'kubets';
  const context = `${userName}@${cluster}`;
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server: credentials.server, 'certificate-authority-data': base64(credentials.ca) } }],
    users: [
      { name: userName, user: { 'client-certificate-data': base64(credentials.certificate), 'client-key-data': base64(credentials.key) } },
    ],
    contexts: [{ name: context, context: { cluster, user: userName } }],
    'current-context': context,
  });
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  users: { user: Record<string, string> }[];
}

/** Address of the first cluster that a kubeconfig names. */
export function serverOf(text: string): string {
  const server = (load(text) as Partial<Kubeconfig> | undefined)?.clusters?.[0]?.cluster.server;
  if (server === undefined) throw new Error('the kubeconfig names no cluster');
  return server;
}

/** Reads back a kubeconfig that formatKubeconfig wrote. */
export function parseKubeconfig(text: string): Credentials {
  const config = load(text) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (!cluster || !user) throw new Error('the kubeconfig names no cluster or no user');
  return {
    server: cluster.server,
    ca: pem(cluster['certificate-authority-data']),
    certificate: pem(user['client-certificate-data']),
    key: pem(user['client-key-data']),
  };
}
