import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { EventRecorder } from '../../../api/client/events/event-recorder.ts';
import type { Informer, InformerFactory } from '../../../api/client/informers/informer.ts';
import { findTime } from '../../../api/meta/time.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import type { Node, Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import type { Conntrack } from '../../linux/nft/conntrack.ts';
import { createFamilyRules, type FamilyRules, type FamilyRulesDependencies } from './family-rules.ts';
import { planServiceHealth } from './health/service-health.ts';
import { createServiceHealthServer } from './health/service-health-server.ts';
import { PendingServices } from './pending-services.ts';
import type { TableSync } from './table-writer.ts';
import { createTakenAddresses, type TakenAddresses } from './taken-addresses.ts';
import type { NodeIdentity } from './tracking/endpoint.ts';
import { describeRefused } from './tracking/plan-external-ips.ts';
import type { StaleConnections } from './tracking/stale-connections.ts';

interface ProxyDependencies extends Omit<FamilyRulesDependencies, 'findAddressProblem' | 'onRefused'> {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  /** Families of addresses that Services have in this cluster. */
  readonly families: readonly IPFamily[];
  /** The node's addresses that accept traffic to node ports. Called at the start and periodically. */
  readonly nodePortAddresses: () => Promise<readonly string[]>;
  readonly conntrack: Conntrack;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called after each attempt to bring the kernel up to date. */
  readonly onSync?: (sync: ProxySync) => void;
  /** Called after tracked connections were forgotten. */
  readonly onForgotten?: (forgotten: Forgotten) => void;
}

export interface Forgotten {
  readonly family: IPFamily;
  readonly connections: number;
  readonly durationMs: number;
}

interface FamilySync extends TableSync {
  readonly family: IPFamily;
  readonly durationMs: number;
}

/** All families' together. */
export interface ProxySync extends TableSync {
  readonly families: readonly FamilySync[];
  readonly durationMs: number;
  /** Services whose rules were looked at again. */
  readonly services: number;
  /** When that happened from which the changes of endpoints follow, milliseconds since the Unix epoch. */
  readonly triggersMs: readonly number[];
}

export interface ProxyHealth {
  /** Whether every change older than two minutes is in the kernel, which kube-proxy's /healthz reports. */
  readonly healthy: boolean;
  readonly synced: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly lastSyncedMs?: number;
  readonly lastError?: unknown;
}

/** The numbers of pending and completed changes of the proxy. */
export interface ProxyCounts {
  readonly serviceChanges: { readonly total: number; readonly pending: number };
  readonly endpointChanges: { readonly total: number; readonly pending: number };
  /** Milliseconds since the Unix epoch. */
  readonly lastQueuedMs?: number;
  /** Services with a traffic policy Local that have endpoints, but none here. */
  readonly withoutLocalEndpoints: readonly { readonly family: IPFamily; readonly internal: number; readonly external: number }[];
}

export interface Proxy {
  /** Runs until the signal is aborted. The rules stay, so that traffic goes on without the agent. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the kernel had everything for the first time. */
  readonly ready: Promise<void>;
  health(): ProxyHealth;
  /** Reads the rules back from the kernel and restores them, after another program has changed them. */
  distrust(family: IPFamily): void;
  counts(): ProxyCounts;
}

/** Changes within this time after a sync wait for the next one, so that bursts cause few transactions. */
const coalesceMs = 50;
const retryBackoff = { initialMs: 100, maxMs: 30_000, jitter: 0.2 };
const unhealthyAfterMs = 120_000;
/** The interval at which the kernel's table is read, in case another program has flushed it. */
const rereadMs = 300_000;
const serviceIndex = 'proxy/service';

/** Implements the virtual addresses of Services on one node, as kube-proxy does in its nftables mode. */
export function createProxy(dependencies: ProxyDependencies): Proxy {
  const { clock, informers } = dependencies;
  const serviceInformer = informers.informer(services);
  const sliceInformer = informers.informer(endpointSlices);
  const nodeInformer = informers.informer(nodes);
  sliceInformer.addIndex(serviceIndex, (slice) => {
    const name = serviceOf(slice);
    return name === undefined ? [] : [name];
  });
  const pending = new PendingServices(clock);
  const taken = createTakenAddresses(informers, dependencies.clusterCIDRs);
  const onRefused = createRefusalReports(serviceInformer, dependencies.events);
  const families = dependencies.families.map((family) =>
    createFamilyRules(family, { ...dependencies, findAddressProblem: taken.findProblem, onRefused }),
  );
  const ready = Promise.withResolvers<void>();
  const state: { lastSyncedMs?: number; lastError?: unknown } = {};
  const healthy = () => clock.monotonicMs() - (pending.oldestMs() ?? clock.monotonicMs()) < unhealthyAfterMs;
  const healthServer = createServiceHealthServer({ ...dependencies, isProxyHealthy: healthy });

  const rebuild = (names: Iterable<string>): StaleConnections[] => {
    const stale: StaleConnections[] = [];
    const node = identityOf(nodeInformer, dependencies.nodeName);
    for (const name of names) {
      const service = findService(serviceInformer, name);
      const slices = service === undefined ? [] : sliceInformer.lister.byIndex(serviceIndex, name);
      for (const rules of families) stale.push(...rules.update(name, service, slices, node));
      healthServer.claim(name, service && planServiceHealth(service, slices, dependencies.nodeName));
    }
    return stale;
  };

  /** Resolves when something has changed and all is in the kernel. */
  const syncOnce = async (unforgotten: StaleConnections[]): Promise<ProxySync> => {
    const startMs = clock.monotonicMs();
    const names = pending.take();
    unforgotten.push(...rebuild(names));
    const sync = await syncAll(families, clock);
    state.lastError = sync.error;
    const done = { ...sync, durationMs: clock.monotonicMs() - startMs, services: names.length };
    if (sync.error !== undefined) return { ...done, triggersMs: [] };
    state.lastSyncedMs = clock.nowMs();
    return { ...done, triggersMs: pending.confirm() };
  };

  return {
    ready: ready.promise,
    health: () => ({ healthy: healthy(), synced: state.lastSyncedMs !== undefined && state.lastError === undefined, ...state }),
    counts: () => countsOf(pending, families),
    distrust(family) {
      for (const rules of families) if (rules.family === family) rules.distrust();
      pending.wake();
    },
    async run(signal) {
      const removers = [
        ...followChanges(serviceInformer, sliceInformer, pending),
        taken.follow((service) => pending.add(service, 'service')),
        followZone(nodeInformer, dependencies.nodeName, () => {
          for (const { metadata } of serviceInformer.lister.list()) pending.add(`${metadata.namespace}/${metadata.name}`, 'service');
        }),
      ];
      const rereading = keepRereading(dependencies, families, pending, signal);
      try {
        await Promise.all([serviceInformer, sliceInformer, nodeInformer].map((informer) => informer.synced(signal)));
        await untilRangesAreKnown(taken, clock, signal);
        await useNodePortAddresses(dependencies, families);
        const backoff = createBackoff(retryBackoff, dependencies.random);
        let unforgotten: StaleConnections[] = [];
        while (!signal.aborted) {
          await pending.wait(signal);
          const sync = await syncOnce(unforgotten);
          dependencies.onSync?.(sync);
          if (sync.error === undefined) {
            backoff.reset();
            ready.resolve();
            await forget(dependencies, unforgotten);
            unforgotten = [];
            await healthServer.sync();
            await sleep(clock, coalesceMs, signal);
          } else {
            const delayMs = backoff.nextMs();
            dependencies.logger.error('the rules of Services cannot be written', { error: sync.error, retryInMs: Math.round(delayMs) });
            await sleep(clock, delayMs, signal);
            pending.wake();
          }
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        for (const remove of removers) remove();
        await rereading;
        await healthServer.close();
      }
    },
  };
}

/** Clusters of others may not serve their ranges; traffic does not wait for them for ever. */
const maxRangesMs = 3000;

async function untilRangesAreKnown(taken: TakenAddresses, clock: Clock, signal: AbortSignal): Promise<void> {
  const late = new AbortController();
  const timer = clock.setTimer(maxRangesMs, () => late.abort());
  await taken.synced(AbortSignal.any([signal, late.signal])).catch(() => undefined); // aborted: seen by the caller
  timer.cancel();
}

/** Reports in Events of a Service which of its external addresses are not served, once for each change. */
function createRefusalReports(informer: Informer<Service>, events: EventRecorder): FamilyRulesDependencies['onRefused'] {
  const told = new Map<string, Map<string, string>>();
  informer.addHandler({ onDelete: ({ metadata }) => void told.delete(`${metadata.namespace}/${metadata.name}`) });
  return (key, refused) => {
    const message = describeRefused(refused);
    const ofFamily = told.get(key) ?? new Map<string, string>();
    const family = refused[0]?.ip.includes(':') === true ? 'IPv6' : 'IPv4';
    if (ofFamily.get(family) === message) return;
    told.set(key, ofFamily.set(family, message));
    const { namespace = '', name = '', uid = '' } = findService(informer, key)?.metadata ?? {};
    events.event({ apiVersion: 'v1', kind: 'Service', namespace, name, uid }, 'Warning', 'ExternalIPNotServed', message);
  };
}

async function syncAll(families: readonly FamilyRules[], clock: Clock): Promise<Pick<ProxySync, 'families' | keyof TableSync>> {
  const startMs = clock.monotonicMs();
  const syncs = await Promise.all(
    families.map(async (rules): Promise<FamilySync> => {
      const sync = await rules.sync();
      return { ...sync, family: rules.family, durationMs: clock.monotonicMs() - startMs };
    }),
  );
  const failed = syncs.find(({ error }) => error !== undefined);
  return {
    families: syncs,
    kind: syncs.some(({ kind }) => kind === 'full') ? 'full' : 'partial',
    changes: syncs.reduce((sum, { changes }) => sum + changes, 0),
    ...(failed === undefined ? {} : { error: failed.error }),
  };
}

async function useNodePortAddresses({ nodePortAddresses }: ProxyDependencies, families: readonly FamilyRules[]): Promise<void> {
  const addresses = await nodePortAddresses();
  for (const rules of families) rules.useNodePortIPs(addresses);
}

function countsOf(pending: PendingServices, families: readonly FamilyRules[]): ProxyCounts {
  const lastQueuedMs = pending.lastQueuedMs();
  return {
    serviceChanges: pending.count('service'),
    endpointChanges: pending.count('endpoints'),
    withoutLocalEndpoints: families.map((rules) => ({
      family: rules.family,
      internal: rules.countWithoutLocalEndpoints('internal'),
      external: rules.countWithoutLocalEndpoints('external'),
    })),
    ...(lastQueuedMs === undefined ? {} : { lastQueuedMs }),
  };
}

function followChanges(
  serviceInformer: Informer<Service>,
  sliceInformer: Informer<EndpointSlice>,
  pending: PendingServices,
): (() => void)[] {
  const serviceChanged = ({ metadata }: DeepReadonly<Service>) => pending.add(`${metadata.namespace}/${metadata.name}`, 'service');
  const sliceChanged = (slice: DeepReadonly<EndpointSlice>, isNew = true) => {
    const name = serviceOf(slice);
    if (name !== undefined) pending.add(name, 'endpoints', isNew ? findTime(slice.metadata.annotations?.[triggerAnnotation]) : undefined);
  };
  const removers = [
    serviceInformer.addHandler({ onAdd: serviceChanged, onUpdate: serviceChanged, onDelete: serviceChanged }),
    sliceInformer.addHandler({
      // Slices of before the start were not made by the change that it waited for.
      onAdd: (slice) => sliceChanged(slice, sliceInformer.hasSynced()),
      onUpdate(slice, old) {
        sliceChanged(slice, slice.metadata.annotations?.[triggerAnnotation] !== old.metadata.annotations?.[triggerAnnotation]);
        if (serviceOf(old) !== serviceOf(slice)) sliceChanged(old, false);
      },
      onDelete: (slice) => sliceChanged(slice, false),
    }),
  ];
  pending.wake(); // also without any Service there is a table to make
  return removers;
}

/** Hints name zones, so that another zone of the node makes other rules for all Services. */
function followZone(informer: Informer<Node>, nodeName: string, onChange: () => void): () => void {
  const zoneChanged = (node: DeepReadonly<Node>, old?: DeepReadonly<Node>) => {
    if (node.metadata.name === nodeName && zoneOf(node) !== (old && zoneOf(old))) onChange();
  };
  return informer.addHandler({ onAdd: (node) => zoneChanged(node), onUpdate: zoneChanged });
}

function zoneOf({ metadata }: DeepReadonly<Node>): string | undefined {
  return metadata.labels?.['topology.kubernetes.io/zone'] || undefined;
}

function identityOf(informer: Informer<Node>, nodeName: string): NodeIdentity {
  const node = informer.lister.find({ namespace: '', name: nodeName });
  const zone = node && zoneOf(node);
  return { nodeName, ...(zone === undefined ? {} : { zone }) };
}

const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

async function keepRereading(
  dependencies: ProxyDependencies,
  families: readonly FamilyRules[],
  pending: PendingServices,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(dependencies.clock, rereadMs, signal);
    } catch {
      return; // aborted
    }
    await useNodePortAddresses(dependencies, families).catch((error: unknown) => {
      dependencies.logger.warn('the addresses for node ports cannot be read', { error });
    });
    for (const rules of families) rules.distrust();
    pending.wake();
  }
}

async function forget({ conntrack, logger, clock, onForgotten }: ProxyDependencies, stale: readonly StaleConnections[]): Promise<void> {
  for (const filter of stale) {
    const startMs = clock.monotonicMs();
    try {
      const connections = await conntrack.forget(filter);
      if (connections !== undefined) {
        onForgotten?.({ family: filter.family, connections, durationMs: clock.monotonicMs() - startMs });
        continue;
      }
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
