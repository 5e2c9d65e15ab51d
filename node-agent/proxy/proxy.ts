import { createBackoff } from '../../api/base/backoff.ts';
import { type Clock, sleep } from '../../api/base/clock.ts';
import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Informer, InformerFactory } from '../../api/client/informer.ts';
import { endpointSlices } from '../../api/resources/discovery/v1/endpoint-slice.ts';
import { services } from '../../api/resources/core/v1/service.ts';
import type { Service } from '../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../api/types/discovery-v1.ts';
import type { Conntrack } from '../linux/conntrack.ts';
import type { NFT } from '../linux/nft.ts';
import { createTableWriter, type TableWriter } from './table-writer.ts';
import { planServicePorts, type ServicePortRules } from './tracking/service-port-rules.ts';
import { planStaleConnections, type StaleConnections } from './tracking/stale-connections.ts';

export interface ProxyDependencies {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  /** Zone of the node, for endpoints that are meant for zones. */
  readonly zone?: string;
  /** Addresses that take traffic to node ports. IPv4. */
  readonly nodeIPs: readonly string[];
  /** Ranges of all Pods: their traffic to ClusterIPs keeps its source address. */
  readonly clusterCIDRs: readonly string[];
  readonly nft: NFT;
  readonly conntrack: Conntrack;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told after each attempt to bring the kernel up to date. */
  readonly onSync?: (sync: ProxySync) => void;
}

export interface ProxySync {
  /** Full: the table was read back first, at the start and after failures. */
  readonly kind: 'full' | 'partial';
  readonly durationMs: number;
  /** Services whose rules were looked at again. */
  readonly services: number;
  /** Entries of the table that were changed. */
  readonly changes: number;
  readonly error?: unknown;
}

export interface ProxyHealth {
  /** Whether every change known for longer than two minutes is in the kernel; what /healthz of kube-proxy says. */
  readonly healthy: boolean;
  readonly synced: boolean;
  readonly lastSyncedMs?: number;
  readonly lastError?: unknown;
}

export interface Proxy {
  /** Runs until the signal is aborted. The rules stay: traffic goes on without the agent. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the kernel had everything for the first time. */
  readonly ready: Promise<void>;
  health(): ProxyHealth;
}

/** Changes that come within this time after a sync wait for the next one, so that bursts cost few transactions. */
const coalesceMs = 50;
const retryBackoff = { initialMs: 100, maxMs: 30_000, jitter: 0.2 };
const unhealthyAfterMs = 120_000;
/** Between two looks at what the kernel really holds, should somebody have flushed it. */
const rereadMs = 300_000;
const serviceIndex = 'proxy/service';
const nodeOwner = ' node';

/** Implements the virtual addresses of Services on one node, in place of kube-proxy in its nftables mode. */
export function createProxy(dependencies: ProxyDependencies): Proxy {
  const { clock, logger, informers } = dependencies;
  const serviceInformer = informers.informer(services);
  const sliceInformer = informers.informer(endpointSlices);
  sliceInformer.addIndex(serviceIndex, (slice) => {
    const name = serviceOf(slice);
    return name === undefined ? [] : [name];
  });
  const pending = new PendingServices(clock);
  const writer = createTableWriter(dependencies);
  const tracked = new Map<string, ServicePortRules[]>();
  const ready = Promise.withResolvers<void>();
  let lastSyncedMs: number | undefined;
  let lastError: unknown;

  const rebuild = (names: Iterable<string>): StaleConnections[] => {
    const stale: StaleConnections[] = [];
    for (const name of names) {
      const service = findService(serviceInformer, name);
      const ports = service === undefined ? [] : planServicePorts(service, sliceInformer.lister.byIndex(serviceIndex, name), dependencies);
      stale.push(...planStaleConnections(tracked.get(name) ?? [], ports));
      if (ports.length === 0) tracked.delete(name);
      else tracked.set(name, ports);
      writer.claim(name, ports);
    }
    return stale;
  };

  return {
    ready: ready.promise,
    health: () => ({
      healthy: pending.oldestMs() === undefined || clock.monotonicMs() - (pending.oldestMs() ?? 0) < unhealthyAfterMs,
      synced: lastSyncedMs !== undefined && lastError === undefined,
      ...(lastSyncedMs === undefined ? {} : { lastSyncedMs }),
      ...(lastError === undefined ? {} : { lastError }),
    }),
    async run(signal) {
      const removeHandlers = followChanges(serviceInformer, sliceInformer, pending);
      const rereading = keepRereading(writer, pending, clock, signal);
      try {
        await Promise.all([serviceInformer.synced(signal), sliceInformer.synced(signal)]);
        writer.claimNode(nodeOwner);
        const backoff = createBackoff(retryBackoff, dependencies.random);
        let unforgotten: StaleConnections[] = [];
        while (!signal.aborted) {
          await pending.wait(signal);
          const startMs = clock.monotonicMs();
          const names = pending.take();
          unforgotten.push(...rebuild(names));
          const sync = await writer.sync();
          lastError = sync.error;
          dependencies.onSync?.({ ...sync, durationMs: clock.monotonicMs() - startMs, services: names.length });
          if (sync.error === undefined) {
            pending.confirm();
            backoff.reset();
            lastSyncedMs = clock.nowMs();
            ready.resolve();
            await forget(dependencies, unforgotten);
            unforgotten = [];
            await sleep(clock, coalesceMs, signal);
          } else {
            const delayMs = backoff.nextMs();
            logger.error('the rules of Services cannot be written', { error: sync.error, retryInMs: Math.round(delayMs) });
            await sleep(clock, delayMs, signal);
            pending.wake();
          }
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        removeHandlers();
        await rereading;
      }
    },
  };
}

function followChanges(serviceInformer: Informer<Service>, sliceInformer: Informer<EndpointSlice>, pending: PendingServices): () => void {
  const serviceChanged = ({ metadata }: DeepReadonly<Service>) => pending.add(`${metadata.namespace}/${metadata.name}`);
  const sliceChanged = (slice: DeepReadonly<EndpointSlice>) => {
    const name = serviceOf(slice);
    if (name !== undefined) pending.add(name);
  };
  const removers = [
    serviceInformer.addHandler({ onAdd: serviceChanged, onUpdate: serviceChanged, onDelete: serviceChanged }),
    sliceInformer.addHandler({
      onAdd: sliceChanged,
      onUpdate(slice, old) {
        sliceChanged(slice);
        sliceChanged(old);
      },
      onDelete: sliceChanged,
    }),
  ];
  pending.wake(); // also without any Service there is a table to make
  return () => {
    for (const remove of removers) remove();
  };
}

async function keepRereading(writer: TableWriter, pending: PendingServices, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(clock, rereadMs, signal);
    } catch {
      return; // aborted
    }
    writer.distrust();
    pending.wake();
  }
}

async function forget({ conntrack, logger }: ProxyDependencies, stale: readonly StaleConnections[]): Promise<void> {
  for (const filter of stale) {
    try {
      if (await conntrack.forget(filter)) continue;
      logger.debug('UDP connections to endpoints that are gone are left to time out: there is no conntrack program');
      return;
    } catch (error) {
      logger.warn('stale UDP connections cannot be forgotten', { ...filter, error });
    }
  }
}

function serviceOf({ metadata }: DeepReadonly<EndpointSlice>): string | undefined {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return name ? `${metadata.namespace}/${name}` : undefined;
}

function findService(informer: Informer<Service>, key: string): DeepReadonly<Service> | undefined {
  const [namespace = '', name = ''] = key.split('/');
  return informer.lister.find({ namespace, name });
}

/** Services that have changed since they were last looked at, and how long the kernel has not known. */
class PendingServices {
  readonly #clock: Clock;
  readonly #names = new Set<string>();
  #wakeUp = Promise.withResolvers<void>();
  #taken: number | undefined;
  #firstMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(name: string): void {
    this.#names.add(name);
    this.#firstMs ??= this.#clock.monotonicMs();
    this.wake();
  }

  wake(): void {
    this.#wakeUp.resolve();
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw signal.reason;
    const onAbort = () => this.#wakeUp.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    await this.#wakeUp.promise;
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    this.#wakeUp = Promise.withResolvers();
  }

  take(): string[] {
    const names = [...this.#names];
    this.#names.clear();
    this.#taken ??= this.#firstMs;
    this.#firstMs = undefined;
    return names;
  }

  /** All that was taken is in the kernel. */
  confirm(): void {
    this.#taken = undefined;
  }

  oldestMs(): number | undefined {
    return this.#taken ?? this.#firstMs;
  }
}
