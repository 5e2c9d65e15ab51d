import {
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  EventsV1Api,
  KubeConfig,
  type KubernetesListObject,
  type V1Deployment,
} from '@kubernetes/client-node';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answerMutation, answerValidation } from './admission.ts';
import { answerConversion } from './conversion.ts';
import { managedBy } from './plan.ts';
import { createReconciler } from './reconcile.ts';
import { codeOf, messageOf } from './runtime/api-error.ts';
import { ensureCertificate } from './runtime/certificates.ts';
import { createRecorder } from './runtime/events.ts';
import { leadOnce } from './runtime/leader-election.ts';
import { log } from './runtime/log.ts';
import { type ObjectCache, startObjectCache } from './runtime/object-cache.ts';
import { publishWebhooks } from './runtime/publish-webhooks.ts';
import { startWebhookServer } from './runtime/webhook-server.ts';
import { createWorkQueue, type WorkQueue } from './runtime/work-queue.ts';
import { group, keyOf, plural, type Website } from './website.ts';

const { values: flags } = parseArgs({
  options: {
    namespace: { type: 'string', default: 'website-system' },
    identity: { type: 'string', default: `${hostname()}-${process.pid}` },
    port: { type: 'string', default: '9443' },
    /** For an operator outside the cluster: where the API server reaches it, such as https://127.0.0.1:9443. */
    'webhook-url': { type: 'string' },
    'lease-seconds': { type: 'string', default: '15' },
    'resync-seconds': { type: 'string', default: '600' },
    workers: { type: 'string', default: '2' },
  },
});
const { namespace, identity, 'webhook-url': url } = flags;
const certificateCheckMs = 6 * 3_600_000;
const publishMs = 30_000;

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();

  const queue = createWorkQueue();
  const websites = watchWebsites(kubeConfig, queue);
  const deployments = watchDeployments(kubeConfig, queue);
  const hosts = url === undefined ? [`website-operator.${namespace}.svc`] : [new URL(url).hostname];
  const store = { core: kubeConfig.makeApiClient(CoreV1Api), namespace, name: 'website-operator-tls', hosts };
  let certificate = await ensureCertificate(store);
  const server = await startWebhookServer({
    port: Number(flags.port),
    certificate,
    isReady: () => websites.isSynced() && deployments.isSynced(),
    handlers: {
      '/convert': answerConversion,
      '/mutate': answerMutation,
      '/validate': (review) => answerValidation(review, websites.list()),
    },
  });
  log('serving webhooks', { port: server.port, hosts });
  const renewing = every(certificateCheckMs, stop.signal, async () => {
    certificate = await ensureCertificate(store);
    server.setCertificate(certificate);
  });
  const address = url === undefined ? { service: { namespace, name: 'website-operator', port: 443 } } : { url };
  const publish = async () => {
    const { authorityPEM } = certificate;
    if (await publishWebhooks({ kubeConfig, definition: `${plural}.${group}`, configuration: managedBy, address, authorityPEM }))
      log('published the webhooks', address);
  };
  const election = {
    leases: kubeConfig.makeApiClient(CoordinationV1Api),
    namespace,
    name: 'website-operator',
    identity,
    leaseSeconds: Number(flags['lease-seconds']),
    signal: stop.signal,
  };
  try {
    await leadOnce(election, async (signal) => {
      const publishing = every(publishMs, signal, publish);
      await Promise.race([Promise.all([websites.synced, deployments.synced]), aborted(signal)]);
      await Promise.all([work(kubeConfig, websites, queue, signal), publishing]);
    });
  } finally {
    stop.abort();
    queue.close();
    websites.stop();
    deployments.stop();
    // A kept connection of the API server may stay open for longer than anybody wants to wait.
    await Promise.race([Promise.all([server.close(), renewing]), sleep(5000)]);
  }
}

/** Every change of a Website, and of a Deployment that belongs to one, puts the key of the Website into the queue. */
function watchWebsites(kubeConfig: KubeConfig, queue: WorkQueue): ObjectCache<Website> {
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  return startObjectCache<Website>({
    kubeConfig,
    path: `/apis/${group}/v1/${plural}`,
    list: async () =>
      (await custom.listCustomObjectForAllNamespaces({ group, version: 'v1', resourcePlural: plural })) as KubernetesListObject<Website>,
    onChange: (website) => queue.add(keyOf(website)),
  });
}

function watchDeployments(kubeConfig: KubeConfig, queue: WorkQueue): ObjectCache<V1Deployment> {
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const labelSelector = `app.kubernetes.io/managed-by=${managedBy}`;
  return startObjectCache<V1Deployment>({
    kubeConfig,
    path: '/apis/apps/v1/deployments',
    labelSelector,
    list: () => apps.listDeploymentForAllNamespaces({ labelSelector }),
    onChange({ metadata }) {
      const owner = metadata?.ownerReferences?.find(({ kind, controller }) => kind === 'Website' && controller);
      if (owner) queue.add(`${metadata?.namespace ?? ''}/${owner.name}`);
    },
  });
}

/** The leader's work: takes keys from the queue until it is stopped. What is begun then is brought to its end. */
async function work(kubeConfig: KubeConfig, websites: ObjectCache<Website>, queue: WorkQueue, signal: AbortSignal): Promise<void> {
  const record = createRecorder(kubeConfig.makeApiClient(EventsV1Api), `${group}/website-operator`, identity);
  const find = (key: string) => {
    const [of = '', name = ''] = key.split('/');
    return websites.get(of, name);
  };
  const reconcile = createReconciler({ kubeConfig, namespace, record, find, list: websites.list });
  const worker = async () => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      try {
        await reconcile(key);
        queue.forget(key);
      } catch (error) {
        const attempt = queue.addRateLimited(key);
        // A conflict only says that the cache was behind.
        if (codeOf(error) !== 409) log('reconcile failed', { key, attempt, error: messageOf(error) });
      } finally {
        queue.done(key);
      }
    }
  };
  signal.addEventListener('abort', () => queue.close(), { once: true });
  if (signal.aborted) queue.close();
  const resyncing = every(Number(flags['resync-seconds']) * 1000, signal, async () => {
    for (const website of websites.list()) queue.add(keyOf(website));
  });
  await Promise.all([resyncing, ...Array.from({ length: Number(flags.workers) }, worker)]);
}

/** Does something now and then again and again. A failure is logged and mended by the next time. */
async function every(delayMs: number, signal: AbortSignal, action: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    let nextMs = delayMs;
    await action().catch((error: unknown) => {
      nextMs = Math.min(delayMs, 2000);
      log('will try again', { error: messageOf(error) });
    });
    await sleep(nextMs, undefined, { signal }).catch(() => undefined);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));

try {
  await main();
  log('stopped');
} catch (error) {
  log('ended', { error: messageOf(error) });
  process.exitCode = 1;
}
// Watches of the client library may still be open: nothing depends on them.
process.exit();
