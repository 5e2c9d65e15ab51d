import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { createWorkQueue, type WorkQueue } from '../../../api/client/work-queue.ts';
import { findCondition, withCondition } from '../../../api/meta/conditions.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import type { AggregatorMetrics } from '../metrics/aggregator-metrics.ts';
import { type Availability, available, failedDiscovery, judgeService, locallyAvailable } from './availability.ts';
import { isRemote, type RemoteAPIService } from './delegations.ts';
import { fetchDocument } from './fetch-document.ts';
import { endpointOf, placeOf, type ProxyDependencies, referenceOf } from './proxy.ts';
import { readyEndpoints, findServicePort } from '../services/resolve-service.ts';

interface AvailabilityDependencies extends ProxyDependencies {
  /** Acts as the API server itself. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly metrics: AggregatorMetrics;
  readonly logger: Logger;
}

const workers = 5;
const recheckMs = 30_000;
const retryBackoff = { baseDelayMs: 50, maxDelayMs: 30_000 };
const probeTimeoutMs = 5000;
const maxProbes = 5;
/** An answer of that size is read, so that its connection serves the next probe. */
const maxProbeBytes = 1024 * 1024;
const prober = { name: 'system:kube-aggregator', groups: ['system:masters'] };

/** The APIServices of this server itself, or those of Services. */
type Scope = 'local' | 'remote';

/**
 * Keeps the condition Available of each APIService of a scope: whether its Service is there, has ready endpoints and answers.
 * Asked anew every 30 seconds, with each change of one of these, and sooner after a failure. Ends with the signal.
 */
export async function keepAvailability(scope: Scope, dependencies: AvailabilityDependencies, signal: AbortSignal): Promise<void> {
  const { informers, clock, logger } = dependencies;
  const queue = createWorkQueue({ clock, ...retryBackoff });
  const stop = followChanges(scope, informers, queue);
  const work = async () => {
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      try {
        await check(scope, name, dependencies, queue, signal);
      } catch (error) {
        if (!signal.aborted && !hasReason(error, 'Conflict')) logger.warn('an APIService could not be checked', { name, error });
        queue.addRateLimited(name);
      } finally {
        queue.done(name);
      }
    }
  };
  signal.addEventListener('abort', () => queue.shutDown(), { once: true });
  await Promise.all(Array.from({ length: workers }, work));
  for (const end of stop) end();
}

function followChanges(scope: Scope, informers: InformerFactory, queue: WorkQueue): (() => void)[] {
  const registered = informers.informer(apiServices);
  const byService = 'service';
  registered.addIndex(byService, (one) => (isRemote(one) ? [`${one.spec.service?.namespace}/${one.spec.service?.name}`] : []));
  const addOf = (namespace: string | undefined, name: string | undefined) => {
    for (const { metadata } of registered.lister.byIndex(byService, `${namespace}/${name}`)) queue.add(metadata.name ?? '');
  };
  const add = ({ metadata }: DeepReadonly<APIService>) => queue.add(metadata.name ?? '');
  const ofObjects = registered.addHandler({
    onAdd: add,
    onDelete: add,
    // Somebody else may have written the status: what it says is checked again.
    onUpdate: (now, old) => (isSemanticallyEqual([now.spec, now.status], [old.spec, old.status]) ? undefined : add(now)),
  });
  if (scope === 'local') return [ofObjects];
  return [
    ofObjects,
    informers.informer(services).addHandler({
      onAdd: ({ metadata }) => addOf(metadata.namespace, metadata.name),
      onUpdate: ({ metadata }) => addOf(metadata.namespace, metadata.name),
      onDelete: ({ metadata }) => addOf(metadata.namespace, metadata.name),
    }),
    informers.informer(endpointSlices).addHandler({
      onAdd: ({ metadata }) => addOf(metadata.namespace, metadata.labels?.['kubernetes.io/service-name']),
      onUpdate: ({ metadata }) => addOf(metadata.namespace, metadata.labels?.['kubernetes.io/service-name']),
      onDelete: ({ metadata }) => addOf(metadata.namespace, metadata.labels?.['kubernetes.io/service-name']),
    }),
  ];
}

async function check(
  scope: Scope,
  name: string,
  dependencies: AvailabilityDependencies,
  queue: WorkQueue,
  signal: AbortSignal,
): Promise<void> {
  const service = dependencies.informers.informer(apiServices).lister.find({ namespace: '', name });
  if (!service) dependencies.metrics.forget(name);
  if (!service || isRemote(service) !== (scope === 'remote')) {
    queue.forget(name);
    return;
  }
  const availability = isRemote(service) ? await findAvailability(service, dependencies, signal) : locallyAvailable;
  if (signal.aborted) return;
  await writeAvailability(service, availability, dependencies);
  if (!isRemote(service)) return;
  if (availability.reason === 'FailedDiscoveryCheck') return queue.addRateLimited(name);
  queue.forget(name);
  queue.addAfter(name, recheckMs);
}

async function findAvailability(
  apiService: RemoteAPIService,
  dependencies: AvailabilityDependencies,
  signal: AbortSignal,
): Promise<Availability> {
  const reference = referenceOf(apiService);
  const { services: caller } = dependencies;
  const service = caller.findService(reference);
  const slices = caller.slicesOf(reference);
  const judged = judgeService(reference, service, slices);
  if (judged) return judged;
  const portName = service && (findServicePort(service, reference.port)?.name ?? '');
  const places = service ? readyEndpoints(service, slices, portName ?? '').length : 0;
  const ended = new AbortController();
  const end = () => ended.abort();
  signal.addEventListener('abort', end, { once: true });
  // One answer is enough; several endpoints are tried at once, since some may be gone without notice.
  const probes = Array.from({ length: Math.min(maxProbes, Math.max(1, places)) }, () => probe(apiService, dependencies, ended.signal));
  try {
    await Promise.any(probes);
    return available;
  } catch (error) {
    const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    return failedDiscovery(first instanceof Error ? first.message : String(first));
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** Reads the discovery of the group version; the server's certificate is not verified here, as upstream does not. */
async function probe(apiService: RemoteAPIService, dependencies: AvailabilityDependencies, signal: AbortSignal): Promise<void> {
  const { group = '', version = '' } = apiService.spec;
  const path = `/apis/${group}/${version}`;
  const reference = referenceOf(apiService);
  // The resolution's own failure has no URL to name.
  const endpoint = endpointOf(reference, dependencies);
  const url = `https://${placeOf(endpoint)}${path}`;
  const unverified = { ...apiService, spec: { ...apiService.spec, insecureSkipTLSVerify: true } };
  const options = { user: prober, accept: '*/*', timeoutMs: probeTimeoutMs, maxBytes: maxProbeBytes, signal };
  let status: number;
  try {
    ({ status } = await fetchDocument(unverified, path, { ...options, endpoint }, dependencies));
  } catch (error) {
    throw new Error(
      `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  if (status < 200 || status > 299) throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${status}`);
}

async function writeAvailability(
  service: DeepReadonly<APIService>,
  { status, reason, message }: Availability,
  dependencies: AvailabilityDependencies,
): Promise<void> {
  const { client, clock, metrics, logger } = dependencies;
  const name = service.metadata.name ?? '';
  metrics.noteAvailability(name, status === 'True');
  const present = service.status?.conditions ?? [];
  const condition = { type: 'Available', status, lastTransitionTime: formatTime(clock.nowMs()), reason, message };
  const conditions = withCondition(present, condition);
  if (conditions === present) return;
  const before = findCondition(present, 'Available')?.status ?? 'Unknown';
  logger.info('availability of an APIService changes', { name, before, now: status, reason, message });
  await client(apiServices).updateStatus({ ...(service as APIService), status: { conditions: [...conditions] } });
  if (status !== 'True' && before === 'True') metrics.noteLoss(name, reason);
}
