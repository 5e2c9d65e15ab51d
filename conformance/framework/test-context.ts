import { ignoreNotFound } from '../../api/client/ignore-not-found.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../api/resources/core/v1/service-account.ts';
import type { Cluster } from './connect-cluster.ts';
import type { ConformanceContext } from './conformance-context.ts';
import { execInPod } from './exec-in-pod.ts';
import { runProgram } from './run-program.ts';
import { waitFor } from './wait-for.ts';

export interface SuiteCluster extends Cluster {
  /** The kubectl program and the cluster's kubeconfig, for tests of the command line. */
  readonly kubectl?: { readonly program: string; readonly kubeconfig: string };
}

/** How long a namespace may take to vanish after its test. */
const removalSeconds = 120;

/**
 * Makes a test's namespace, ready for Pods (its default service account exists), and returns it with a function that removes everything
 * again.
 */
export async function createTestContext(
  cluster: SuiteCluster,
  signal: AbortSignal,
): Promise<{ context: ConformanceContext; tearDown: () => Promise<void> }> {
  const { client, kubeConfig } = cluster;
  const created: string[] = [];
  const actions: (() => Promise<unknown>)[] = [];
  const createNamespace = async (baseName: string) => {
    const { metadata } = await client(namespaces).create({
      metadata: { generateName: `${baseName}-`, labels: { 'e2e-framework': 'conformance' } },
    });
    const name = metadata.name ?? '';
    created.push(name);
    await waitFor(
      `service account default in ${name}`,
      () => ignoreNotFound(client(serviceAccounts).get({ namespace: name, name: 'default' })),
      {
        withinSeconds: 30,
        everyMs: 50,
      },
    );
    return name;
  };
  const namespace = await createNamespace('conformance');
  const exec = async (pod: string, command: readonly string[], container?: string) => {
    const target = container ?? (await client(pods).get({ namespace, name: pod })).spec?.containers[0]?.name ?? '';
    return await execInPod(kubeConfig, { namespace, pod, container: target, command, signal });
  };
  const kubectl = (...args: readonly string[]) => {
    if (!cluster.kubectl) throw new Error('there is no kubectl');
    return runProgram(cluster.kubectl.program, ['--kubeconfig', cluster.kubectl.kubeconfig, '--namespace', namespace, ...args]);
  };
  const tearDown = async () => {
    const failures: unknown[] = [];
    for (const action of actions.reverse()) await action().catch((error: unknown) => failures.push(error));
    for (const name of created) await removeNamespace(cluster, name).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'tearing down failed');
  };
  const context: ConformanceContext = {
    client,
    kubeConfig,
    namespace,
    signal,
    request: cluster.request,
    exec,
    kubectl,
    createNamespace,
    cleanUp: (action) => void actions.push(action),
  };
  return { context, tearDown };
}

async function removeNamespace({ client }: Cluster, name: string): Promise<void> {
  const key = { namespace: '', name };
  await ignoreNotFound(client(namespaces).delete(key));
  await waitFor(`removal of namespace ${name}`, async () => (await ignoreNotFound(client(namespaces).get(key))) === undefined, {
    withinSeconds: removalSeconds,
    everyMs: 200,
  });
}
