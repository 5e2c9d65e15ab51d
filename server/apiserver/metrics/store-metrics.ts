import type { Family, HistogramSeries, MetricFamilies, Series } from '../metric-families.ts';

const latencyBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const labels = ['operation', 'group', 'resource'];

/** Statistics of one stored resource. */
export interface ResourceStatistics {
  readonly count: number;
  readonly bytes: number;
  readonly averageBytes: number;
  readonly watchers: number;
  readonly revision: number;
}

export interface StoreMetricsOptions {
  /** By resource, e.g. `deployments.apps`. Asked at every scrape. */
  resources(): Iterable<readonly [resource: string, statistics: ResourceStatistics]>;
  /** The bytes that the store uses on its disk; undefined if it has no disk or does not report it. */
  storeBytes(): Promise<number | undefined>;
}

/** Counts calls of the store: operation get, list, create, update, delete; resource as e.g. `deployments.apps`. */
export type StoreCounter = (operation: string, resource: string, seconds: number, isFailed: boolean) => void;

export function createStoreMetrics(families: MetricFamilies, options: StoreMetricsOptions): StoreCounter {
  addResourceMetrics(families, options);
  families.gauge(
    {
      name: 'apiserver_storage_size_bytes',
      help: 'Size of the storage database file physically allocated in bytes.',
      stability: 'STABLE',
      labels: ['storage_cluster_id'],
    },
    async (family) => {
      const bytes = await options.storeBytes();
      if (bytes !== undefined) family.with('etcd-0').value = bytes;
    },
  );
  const duration = families.histogram({
    name: 'etcd_request_duration_seconds',
    help: 'Etcd request latency in seconds for each operation and object type.',
    stability: 'ALPHA',
    labels,
    buckets: latencyBuckets,
  });
  const total = families.counter({
    name: 'etcd_requests_total',
    help: 'Etcd request counts for each operation and object type.',
    stability: 'ALPHA',
    labels,
  });
  const errors = families.counter({
    name: 'etcd_request_errors_total',
    help: 'Etcd failed request counts for each operation and object type.',
    stability: 'ALPHA',
    labels,
  });
  return createCounter({ duration, total, errors });
}

interface CallFamilies {
  readonly duration: Family<HistogramSeries>;
  readonly total: Family<Series>;
  readonly errors: Family<Series>;
}

function createCounter({ duration, total, errors }: CallFamilies): StoreCounter {
  /** By operation, then resource: looked up for every call of the store. */
  const known = new Map<string, Map<string, { readonly duration: HistogramSeries; readonly total: Series }>>();
  return (operation, resource, seconds, isFailed) => {
    let ofOperation = known.get(operation);
    if (ofOperation === undefined) known.set(operation, (ofOperation = new Map()));
    let series = ofOperation.get(resource);
    if (series === undefined) {
      const { group, name } = splitResource(resource);
      series = { duration: duration.with(operation, group, name), total: total.with(operation, group, name) };
      ofOperation.set(resource, series);
    }
    series.total.add();
    series.duration.observe(seconds);
    if (!isFailed) return;
    const { group, name } = splitResource(resource);
    errors.with(operation, group, name).add();
  };
}

function splitResource(id: string): { readonly group: string; readonly name: string } {
  const dot = id.indexOf('.');
  return dot < 0 ? { group: '', name: id } : { group: id.slice(dot + 1), name: id.slice(0, dot) };
}

function addResourceMetrics(families: MetricFamilies, { resources }: StoreMetricsOptions): void {
  const byResource = (name: string, help: string, stability: 'STABLE' | 'ALPHA', valueOf: (one: ResourceStatistics) => number) =>
    families.gauge({ name, help, stability, labels: ['group', 'resource'] }, (family) => {
      family.clear();
      for (const [id, statistics] of resources()) {
        const { group, name: resource } = splitResource(id);
        family.with(group, resource).value = valueOf(statistics);
      }
    });
  families.gauge(
    {
      name: 'apiserver_storage_objects',
      help: '[DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
      stability: 'STABLE',
      labels: ['resource'],
    },
    (family) => {
      family.clear();
      for (const [id, { count }] of resources()) family.with(id).value = count;
    },
  );
  byResource(
    'apiserver_resource_objects',
    'Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    'ALPHA',
    ({ count }) => count,
  );
  byResource(
    'apiserver_resource_size_estimate_bytes',
    'Estimated size of stored objects in database. Estimate is based on sum of last observed sizes of serialized objects. In case of a fetching error, the value will be -1.',
    'ALPHA',
    ({ bytes }) => bytes,
  );
  byResource(
    'apiserver_watch_cache_resource_version',
    'Current resource version of watch cache broken by resource type. This is truncated to the 15 least significant digits.',
    'ALPHA',
    ({ revision }) => revision % 1e15,
  );
}
