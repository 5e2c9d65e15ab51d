import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createBackoff } from '../../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../../api/base/clock.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { InformerFactory } from '../../../../api/client/informers/informer.ts';
import { toDate } from '../../../../api/meta/time.ts';
import { nodes } from '../../../../api/resources/core/v1/node.ts';
import type { Proxy } from '../proxy.ts';
import { closeHTTP, listenHTTP } from './listen-http.ts';
import { metricsContentType, type ProxyMetrics } from './proxy-metrics.ts';

interface ProxyServerDependencies {
  readonly proxy: Pick<Proxy, 'health' | 'counts'>;
  readonly metrics: ProxyMetrics;
  readonly informers: InformerFactory;
  readonly nodeName: string;
  /** /healthz and /livez, which load balancers and the kubelet's probes ask. */
  readonly healthz: Endpoint;
  /** /metrics and /proxyMode, and the former two. */
  readonly metricsEndpoint: Endpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** kube-proxy's ports. */
export const proxyHealthzPort = 10_256;
export const proxyMetricsPort = 10_249;

/** The taint by which the cluster autoscaler marks a node that it is about to remove. */
const toBeDeletedTaint = 'ToBeDeletedByClusterAutoscaler';
const listenBackoff = { initialMs: 5000, maxMs: 60_000, jitter: 0.1 };

/** Serves kube-proxy's health checks and metrics until the signal is aborted. Waits for ports that are in use. */
export async function runProxyServer(dependencies: ProxyServerDependencies, signal: AbortSignal): Promise<void> {
  const { healthz, metricsEndpoint } = dependencies;
  const probe = (path: string | undefined, response: ServerResponse) => {
    if (path !== '/healthz' && path !== '/livez') return false;
    answerProbe(path === '/healthz' ? 'healthz' : 'livez', dependencies, response);
    return true;
  };
  await Promise.all([
    serve(healthz, dependencies, signal, (path, response) => {
      if (!probe(path, response)) notFound(response);
    }),
    serve(metricsEndpoint, dependencies, signal, (path, response) => {
      if (probe(path, response)) return;
      if (path === '/proxyMode') return plain(response, 200, 'nftables');
      if (path !== '/metrics') return notFound(response);
      dependencies.metrics.scrape(dependencies.proxy.counts()).then(
        (text) => response.writeHead(200, { 'Content-Type': metricsContentType }).end(text),
        (error: unknown) => plain(response, 500, String(error)),
      );
    }),
  ]);
}

async function serve(
  { address, port }: Endpoint,
  { clock, random, logger }: ProxyServerDependencies,
  signal: AbortSignal,
  answer: (path: string | undefined, response: ServerResponse) => void,
): Promise<void> {
  const backoff = createBackoff(listenBackoff, random);
  let server: Server | undefined;
  while (server === undefined && !signal.aborted) {
    try {
      server = await listenHTTP(address, port, ({ url }: IncomingMessage, response) => answer(url?.split('?')[0], response));
    } catch (error) {
      logger.warn('the Service proxy cannot tell how it is', { address, port, error });
      await sleep(clock, backoff.nextMs(), signal).catch(() => undefined); // aborted
    }
  }
  if (server === undefined) return;
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await closeHTTP(server);
}

function answerProbe(path: 'healthz' | 'livez', dependencies: ProxyServerDependencies, response: ServerResponse): void {
  const { proxy, metrics, clock } = dependencies;
  const { healthy, lastSyncedMs = 0 } = proxy.health();
  const nodeEligible = isEligible(dependencies);
  const isGood = healthy && (path === 'livez' || nodeEligible);
  const status = isGood ? 200 : 503;
  metrics.countProbe(path, status);
  const now = formatGoTime(clock.nowMs());
  const times = `"lastUpdated": "${isGood ? now : formatGoTime(lastSyncedMs)}","currentTime": "${now}"`;
  response.writeHead(status, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' });
  response.end(path === 'livez' ? `{${times}}` : `{${times}, "nodeEligible": ${nodeEligible}}`);
}

/** Whether load balancers may send to this node. A node without a known Node object counts as eligible. */
function isEligible({ informers, nodeName }: ProxyServerDependencies): boolean {
  const node = informers.informer(nodes).lister.find({ namespace: '', name: nodeName });
  return node?.metadata.deletionTimestamp === undefined && !(node?.spec?.taints ?? []).some(({ key }) => key === toBeDeletedTaint);
}

/** A time as Go prints it, without the digits that this clock does not have. */
function formatGoTime(ms: number): string {
  return `${toDate(ms).toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`;
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }).end(text);
}

function notFound(response: ServerResponse): void {
  plain(response, 404, '404 page not found\n');
}
