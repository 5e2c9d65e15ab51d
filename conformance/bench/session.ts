import { readFileSync } from 'node:fs';
import { serviceAccounts } from '../../api/resources/core/v1/service-account.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { clusterRoleBindings } from '../../api/resources/rbac/v1/cluster-role-binding.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { hasReason } from '../../api/meta/status.ts';
import { type Cluster, connectCluster } from '../framework/connect-cluster.ts';
import type { Endpoint } from './load/task.ts';
import { defaultServiceAccount, namespace } from './objects.ts';
import { findListener } from './processes.ts';
import { type StartedCluster, startCluster } from './start-target.ts';
import type { Target } from './targets.ts';

const account = { namespace, name: 'bench' };
const tokenSeconds = 24 * 3600;

/** A target that runs, with everything that is needed to load it and to look at its processes. */
export interface Session {
  readonly target: Target;
  /** If the bench started it. */
  readonly started: StartedCluster | undefined;
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly pid: number | undefined;
  readonly storePid: number | undefined;
  /** Makes a namespace in which Pods can be created. */
  ensureNamespace(name: string): Promise<void>;
  /** Stops what was started; from a cluster that ran before it removes the bench's objects. */
  close(): Promise<void>;
}

export async function openSession(target: Target): Promise<Session> {
  const started = target.kind === 'started' ? await startCluster(target.name, target.command) : undefined;
  try {
    return await connectSession(target, started);
  } catch (error) {
    await started?.stop();
    throw error;
  }
}

async function connectSession(target: Target, started: StartedCluster | undefined): Promise<Session> {
  const kubeconfig = target.kind === 'running' ? target.kubeconfig : (started?.kubeconfig ?? '');
  const cluster = await connectCluster(kubeconfig);
  const made = new Set<string>();
  const ensureNamespace = async (name: string) => {
    if (made.has(name)) return;
    await ignoreExisting(cluster.client(namespaces).create(named({ namespace: '', name })));
    // A controller may have created it already; without one the bench creates it.
    await ignoreExisting(cluster.client(serviceAccounts).create(named({ namespace: name, name: defaultServiceAccount })));
    made.add(name);
  };
  await ensureNamespace(namespace);
  const endpoint = await createEndpoint(cluster);
  const { pid, storePid } = started ?? processesOf(target, endpoint);
  return {
    target,
    started,
    cluster,
    endpoint,
    pid,
    storePid,
    ensureNamespace,
    async close() {
      if (!started) await Promise.all([...made].map((name) => cluster.client(namespaces).delete({ namespace: '', name })));
      cluster.close();
      await started?.stop();
    },
  };
}

function named(metadata: { namespace: string; name: string }): KubeObject {
  return { metadata: { name: metadata.name, ...(metadata.namespace === '' ? {} : { namespace: metadata.namespace }) } };
}

async function ignoreExisting(creating: Promise<unknown>): Promise<void> {
  await creating.catch((error: unknown) => {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  });
}

function processesOf(target: Target, { host, port }: Endpoint): { pid: number | undefined; storePid: number | undefined } {
  if (target.kind !== 'running') return { pid: undefined, storePid: undefined };
  const isLocal = ['127.0.0.1', 'localhost', '::1'].includes(host);
  return { pid: target.pid ?? (isLocal ? findListener(port) : undefined), storePid: target.storePid };
}

/** Creates a service account with all rights, and a token for it. */
async function createEndpoint({ client, kubeConfig }: Cluster): Promise<Endpoint> {
  await ignoreExisting(client(serviceAccounts).create(named(account)));
  await ignoreExisting(
    client(clusterRoleBindings).create({
      metadata: { name: 'kubets-bench' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    }),
  );
  const { status } = await client(serviceAccounts).createSubresource<{ status: { token: string } }>(account, 'token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: tokenSeconds },
  });
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster');
  const { hostname, port } = new URL(cluster.server);
  const caPEM = cluster.caData ? Buffer.from(cluster.caData, 'base64').toString() : readFileSync(cluster.caFile ?? '', 'utf8');
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), caPEM, token: status.token };
}
