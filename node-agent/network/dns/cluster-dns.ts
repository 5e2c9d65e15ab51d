import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import type { ConfigMap } from '../../../api/types/core-v1.ts';
import type { Upstream } from './forward/exchange.ts';
import { parseDNSSettings } from './forward/dns-settings.ts';
import { createRoutedForwarder, type RoutedForwarder } from './forward/routed-forwarder.ts';
import { type AnswerSource, createResponder, type Responder } from './responder.ts';
import { type DNSListener, listenDNS } from './serve.ts';
import { createSourceFilter, followNodeAddresses } from './source-filter.ts';
import { createSourceTurns } from './source-turns.ts';
import { createClusterZone } from './zone/cluster-zone.ts';
import { createRecordSource, type RecordSource } from './zone/record-source.ts';

interface ClusterDNSDependencies {
  readonly informers: InformerFactory;
  /** E.g. cluster.local. */
  readonly clusterDomain: string;
  /** The address of the Service kube-system/kube-dns, which answers name as the zone's name server. */
  readonly serviceAddress?: string;
  /** The addresses it listens on, all of them. Port 0: any free port. */
  readonly listen: readonly DNSAddress[];
  /** Addresses and CIDRs of those that get answers; the machine itself and the cluster's nodes always do. Absent: everyone. */
  readonly allowedSources?: readonly string[];
  /** Servers for all other names, unless the cluster's settings name some: those of the host's resolv.conf. */
  readonly upstreams: readonly Upstream[];
  /** See UpstreamGroupDependencies. */
  readonly upstreamTimeoutMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The longest wait for the Services before queries are answered. Default ten seconds. */
  readonly maxSilenceMs?: number;
  readonly onQuery?: (query: DNSQueryFacts) => void;
}

interface DNSAddress {
  readonly address: string;
  readonly port: number;
}

/** For metrics. */
export interface DNSQueryFacts {
  readonly transport: 'udp' | 'tcp';
  /** Numbers of RFC 1035. */
  readonly type: number;
  readonly code: number;
  readonly source: AnswerSource;
  readonly durationMs: number;
}

export interface ClusterDNS {
  /** Runs until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves with the port of the first address when the server listens. */
  readonly listening: Promise<number>;
  /** Other servers for names outside of the cluster, from the next query on, unless the cluster's settings name some. */
  useUpstreams(upstreams: readonly Upstream[]): void;
  /** Whether it listens and knows the cluster's Services. */
  isReady(): boolean;
}

const bindBackoff = { initialMs: 200, maxMs: 10_000, jitter: 0.2 };

/**
 * The cluster's DNS, one server in each node agent, so that a node's Pods ask their own node and the loss of any other node
 * costs no answer.
 *
 * Queries come here through the Service kube-system/kube-dns at the tenth address of the service range. It has no selector,
 * its EndpointSlices, which the control plane keeps, list the address of every node that has this agent, with the
 * port of its server (api/semantics/services/cluster-dns.ts), and its trafficDistribution is PreferSameNode: the Service
 * proxy of each node, like any kube-proxy, sends to the endpoint on its own node if there is one. Nodes with another kubelet
 * have none and ask all the others. Nothing but ordinary
 * Service traffic is needed for that: no address on a local interface, no rules beside the proxy's, and kubectl shows it all.
 *
 * Each server follows all Services and EndpointSlices by itself. Until it knows them it is silent for a while, and then
 * answers SERVFAIL for the cluster's domain, never a false NXDOMAIN; when the API server is away it goes on answering from what it knows. Which servers are
 * asked for other names says the ConfigMap kube-system/kube-dns, if there is one.
 */
export function createClusterDNS(dependencies: ClusterDNSDependencies): ClusterDNS {
  const { informers, clusterDomain: domain, serviceAddress, upstreams, clock, random, logger, listen } = dependencies;
  const source = createRecordSource(informers);
  const zone = createClusterZone({ source, domain, random, ...(serviceAddress === undefined ? {} : { serviceAddress }) });
  const { upstreamTimeoutMs: timeoutMs } = dependencies;
  const forwarder = createRoutedForwarder({ upstreams, clock, random, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  const respond = observed(createResponder({ zone, forwarder, random }), dependencies);
  const isAllowed = filterOf(dependencies);
  const turns = createSourceTurns({ clock, afterOthers: (run) => void setImmediate(run) });
  const listening = Promise.withResolvers<number>();
  let listeners: readonly DNSListener[] | undefined;

  const bind = async (where: DNSAddress, signal: AbortSignal): Promise<DNSListener> => {
    const backoff = createBackoff(bindBackoff, random);
    for (;;) {
      try {
        return await listenDNS({ ...where, respond, isAllowed, turns, logger });
      } catch (error) {
        const delayMs = backoff.nextMs();
        logger.error('the DNS server cannot listen', { ...where, error, retryInMs: Math.round(delayMs) });
        await sleep(clock, delayMs, signal);
      }
    }
  };

  return {
    listening: listening.promise,
    useUpstreams: forwarder.useUpstreams,
    isReady: () => listeners !== undefined && source.hasSynced(),
    async run(signal) {
      const unfollow = followSettings(dependencies, forwarder);
      try {
        await untilSynced(source, dependencies, signal);
        listeners = await Promise.all(listen.map((where) => bind(where, signal)));
        listening.resolve(listeners[0]?.port ?? 0);
        logger.info('cluster DNS is listening', { addresses: listen.map(({ address }) => address), upstreams: upstreams.length });
        await new Promise<void>((resolve) => {
          if (signal.aborted) return resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        unfollow();
        await Promise.all((listeners ?? []).map((listener) => listener.close()));
        listeners = undefined;
      }
    },
  };
}

function filterOf({ allowedSources, listen, informers }: ClusterDNSDependencies): (address: string) => boolean {
  if (allowedSources === undefined) return () => true;
  const isInRange = createSourceFilter([...listen.map(({ address }) => address), ...allowedSources]);
  const isNode = followNodeAddresses(informers);
  return (address) => isInRange(address) || isNode(address);
}

const outOfPatience = new Error('the Services are still unknown');

/** A client that asks meanwhile repeats its query; an answer from incomplete data would count as final. */
async function untilSynced(
  source: RecordSource,
  { clock, maxSilenceMs = 10_000 }: ClusterDNSDependencies,
  signal: AbortSignal,
): Promise<void> {
  const patience = new AbortController();
  const timer = clock.setTimer(maxSilenceMs, () => patience.abort(outOfPatience));
  try {
    await source.synced(AbortSignal.any([signal, patience.signal]));
  } catch (error) {
    if (error !== outOfPatience) throw error;
  } finally {
    timer.cancel();
  }
}

/** In the namespace kube-system, as kube-dns and CoreDNS's translation of it have it. */
const settingsName = 'kube-dns';

function followSettings({ informers, logger }: ClusterDNSDependencies, forwarder: RoutedForwarder): () => void {
  const selection = { namespace: 'kube-system', fieldSelector: `metadata.name=${settingsName}` };
  const use = (data: DeepReadonly<ConfigMap>['data']) => {
    const settings = parseDNSSettings(data);
    if (settings.problems.length > 0) logger.warn('parts of the settings of cluster DNS are passed over', { problems: settings.problems });
    forwarder.use(settings);
  };
  return informers.informer(configMaps, selection).addHandler({
    onAdd: ({ data }) => use(data),
    onUpdate: ({ data }) => use(data),
    onDelete: () => use(undefined),
  });
}

function observed(respond: Responder, { clock, onQuery }: ClusterDNSDependencies): Responder {
  if (onQuery === undefined) return respond;
  return async (bytes, transport) => {
    const startMs = clock.monotonicMs();
    const response = await respond(bytes, transport);
    if (response !== undefined) {
      const { type, code, source } = response;
      onQuery({ transport, type, code, source, durationMs: clock.monotonicMs() - startMs });
    }
    return response;
  };
}
