import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { RequestLabels, RequestMetrics } from '../filters/request-metrics.ts';
import type { RequestInfo } from '../request-context.ts';

export interface ServerMetricsOptions {
  /** Whether a resource and subresource are served: label values come from these only. */
  isServed(info: RequestInfo): boolean;
  /** Number of stored objects by resource, e.g. `deployments.apps`. Asked at every scrape. */
  objectCounts(): Iterable<readonly [resource: string, count: number]>;
}

/** What the server counts, under upstream's names. */
export interface ServerMetrics {
  readonly requests: RequestMetrics;
  /** One call of the store: operation get, list, create, update, delete; type: the resource's key prefix. */
  storeRequest(operation: string, type: string, durationSeconds: number): void;
  scrape(): Promise<APIResponse>;
}

const requestLabels = ['component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'] as const;
const latencyBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const storeBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

export function createServerMetrics(options: ServerMetricsOptions): ServerMetrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const total = new Counter({
    name: 'apiserver_request_total',
    help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    labelNames: [...requestLabels, 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    labelNames: requestLabels,
    buckets: latencyBuckets,
    registers,
  });
  const sizes = new Histogram({
    name: 'apiserver_response_sizes',
    help: 'Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
    labelNames: ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
    buckets: sizeBuckets,
    registers,
  });
  const longRunning = new Gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
    labelNames: ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'],
    registers,
  });
  const inflight = new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
    labelNames: ['request_kind'],
    registers,
  });
  const watchEvents = new Counter({
    name: 'apiserver_watch_events_total',
    help: 'Number of events sent in watch clients',
    labelNames: ['group', 'version', 'resource'],
    registers,
  });
  const store = new Histogram({
    name: 'etcd_request_duration_seconds',
    help: 'Etcd request latency in seconds for each operation and object type.',
    labelNames: ['operation', 'group', 'resource'],
    buckets: storeBuckets,
    registers,
  });
  addObjectCounts(registers, options);
  return {
    requests: {
      isServed: options.isServed,
      inflight: { set: (kind, executing) => inflight.set({ request_kind: kind }, executing) },
      finished(labels, code, durationSeconds, responseBytes) {
        const values = { ...sharedLabels(labels), dry_run: labels.dryRun };
        total.inc({ ...values, code: String(code) });
        if (labels.verb !== 'WATCH' && labels.verb !== 'CONNECT') duration.observe(values, durationSeconds);
        if (labels.verb === 'GET' || labels.verb === 'LIST') sizes.observe(sharedLabels(labels), responseBytes);
      },
      longRunning(labels) {
        const values = sharedLabels(labels);
        longRunning.inc(values);
        return () => longRunning.dec(values);
      },
      watchEvent: ({ group, version, resource }) => watchEvents.inc({ group, version, resource }),
    },
    storeRequest: (operation, type, durationSeconds) => {
      const [resource = '', ...group] = type.split('.');
      store.observe({ operation, group: group.join('.'), resource }, durationSeconds);
    },
    async scrape() {
      const text = await register.metrics();
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: { kind: 'bytes', bytes: Buffer.from(text) },
      };
    },
  };
}

function sharedLabels({ verb, group, version, resource, subresource, scope }: RequestLabels) {
  return { component: 'apiserver', group, resource, scope, subresource, verb, version };
}

function addObjectCounts(registers: Registry[], { objectCounts }: ServerMetricsOptions): void {
  // Both names of the same number: the first was renamed in v1.34.
  for (const name of ['apiserver_storage_objects', 'apiserver_resource_objects']) {
    const isOld = name === 'apiserver_storage_objects';
    const gauge: Gauge<'resource' | 'group'> = new Gauge({
      name,
      help: 'Number of stored objects at the time of last check split by kind.',
      labelNames: isOld ? ['resource'] : ['group', 'resource'],
      registers,
      collect() {
        for (const [id, count] of objectCounts()) {
          const [resource = '', ...group] = id.split('.');
          gauge.set(isOld ? { resource: id } : { group: group.join('.'), resource }, count);
        }
      },
    });
  }
}
