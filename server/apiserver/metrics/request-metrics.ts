import type { Family, HistogramSeries, MetricFamilies, Series } from '../metric-families.ts';
import type { RequestInfo } from '../request/request-context.ts';

const shared = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'];
const component = 'apiserver';
const latencyBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const ownLatencyBuckets = latencyBuckets.slice(2);
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const eventSizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128].map((kibibytes) => kibibytes * 1024);

interface RequestFamilies {
  readonly total: Family<Series>;
  readonly duration: Family<HistogramSeries>;
  readonly ownDuration: Family<HistogramSeries>;
  readonly sizes: Family<HistogramSeries>;
  readonly longRunning: Family<Series>;
  readonly terminations: Family<Series>;
  readonly own: Family<Series>;
  readonly watchEvents: Family<Series>;
  readonly watchEventSizes: Family<HistogramSeries>;
  readonly deprecated: Family<Series>;
}

interface RequestCountersOptions {
  /** `removed_release` of a deprecated API; undefined if it is not deprecated. */
  deprecation(labels: RequestLabels): { readonly removedRelease: string } | undefined;
}

/** The counters of requests. Same labels, same counters. */
export function createRequestCounters(
  families: MetricFamilies,
  { deprecation }: RequestCountersOptions,
): (labels: RequestLabels) => RequestCounters {
  const all = createFamilies(families);
  const counters = new Map<string, RequestCounters>();
  return (labels) => {
    const key = Object.values(labels).join('\0');
    const present = counters.get(key);
    if (present !== undefined) return present;
    const created = new LabelledRequests(all, labels, deprecation(labels)?.removedRelease);
    counters.set(key, created);
    return created;
  };
}

function createFamilies(families: MetricFamilies): RequestFamilies {
  const eventLabels = ['group', 'version', 'resource'];
  return {
    total: families.counter({
      name: 'apiserver_request_total',
      help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
      stability: 'STABLE',
      labels: ['verb', 'dry_run', ...shared.slice(1), 'code'],
    }),
    duration: families.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      stability: 'STABLE',
      labels: ['verb', 'dry_run', ...shared.slice(1)],
      buckets: latencyBuckets,
    }),
    ownDuration: families.histogram({
      name: 'apiserver_request_sli_duration_seconds',
      help: 'Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.',
      stability: 'ALPHA',
      labels: shared,
      buckets: ownLatencyBuckets,
    }),
    sizes: families.histogram({
      name: 'apiserver_response_sizes',
      help: 'Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
      stability: 'STABLE',
      labels: shared,
      buckets: sizeBuckets,
    }),
    longRunning: families.gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
      stability: 'STABLE',
      labels: shared,
    }),
    terminations: families.counter({
      name: 'apiserver_request_terminations_total',
      help: 'Number of requests which apiserver terminated in self-defense.',
      stability: 'ALPHA',
      labels: [...shared, 'code'],
    }),
    own: families.counter({
      name: 'apiserver_selfrequest_total',
      help: 'Counter of apiserver self-requests broken out for each verb, API resource and subresource.',
      stability: 'ALPHA',
      labels: ['verb', 'group', 'resource', 'subresource'],
    }),
    watchEvents: families.counter({
      name: 'apiserver_watch_events_total',
      help: 'Number of events sent in watch clients',
      stability: 'ALPHA',
      labels: eventLabels,
    }),
    watchEventSizes: families.histogram({
      name: 'apiserver_watch_events_sizes',
      help: 'Watch event size distribution in bytes',
      stability: 'ALPHA',
      labels: eventLabels,
      buckets: eventSizeBuckets,
    }),
    deprecated: families.gauge({
      name: 'apiserver_requested_deprecated_apis',
      help: 'Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.',
      stability: 'STABLE',
      labels: ['group', 'version', 'resource', 'subresource', 'removed_release'],
    }),
  };
}

/** The metrics for one set of labels, looked up once. */
class LabelledRequests implements RequestCounters {
  readonly isWatch: boolean;
  readonly #families: RequestFamilies;
  readonly #labels: RequestLabels;
  readonly #values: readonly string[];
  readonly #codes = new Map<number, Series>();
  readonly #removedRelease: string | undefined;
  readonly #measuresSize: boolean;
  #duration: HistogramSeries | undefined;
  #ownDuration: HistogramSeries | undefined;
  #sizes: HistogramSeries | undefined;
  #longRunning: Series | undefined;
  #watchEvents: Series | undefined;
  #watchEventSizes: HistogramSeries | undefined;

  constructor(families: RequestFamilies, labels: RequestLabels, removedRelease: string | undefined) {
    const { verb, group, version, resource, subresource, scope } = labels;
    this.isWatch = verb === 'WATCH';
    this.#measuresSize = verb === 'GET' || verb === 'LIST';
    this.#families = families;
    this.#labels = labels;
    this.#values = [verb, group, version, resource, subresource, scope, component];
    this.#removedRelease = removedRelease;
  }

  finished(code: number, seconds: number, ownSeconds: number, responseBytes: number): void {
    let total = this.#codes.get(code);
    if (total === undefined) {
      total = this.#families.total.with(...this.#withDryRun(), String(code));
      this.#codes.set(code, total);
      if (this.#removedRelease !== undefined) this.#noteDeprecated(this.#removedRelease);
    }
    total.add();
    this.#duration ??= this.#families.duration.with(...this.#withDryRun());
    this.#duration.observe(seconds);
    // A dry run promises nothing.
    if (this.#labels.dryRun === '') this.#ownSeconds(ownSeconds);
    if (!this.#measuresSize) return;
    this.#sizes ??= this.#families.sizes.with(...this.#values);
    this.#sizes.observe(responseBytes);
  }

  #ownSeconds(ownSeconds: number): void {
    this.#ownDuration ??= this.#families.ownDuration.with(...this.#values);
    this.#ownDuration.observe(ownSeconds);
  }

  longRunning(): () => void {
    const series = (this.#longRunning ??= this.#families.longRunning.with(...this.#values));
    series.add();
    return () => series.add(-1);
  }

  watchEvents(bytes: readonly number[]): void {
    const { group, version, resource } = this.#labels;
    this.#watchEvents ??= this.#families.watchEvents.with(group, version, resource);
    this.#watchEvents.add(bytes.length);
    this.#watchEventSizes ??= this.#families.watchEventSizes.with(group, version, resource);
    for (const size of bytes) this.#watchEventSizes.observe(size);
  }

  terminated(code: number): void {
    this.#families.terminations.with(...this.#values, String(code)).add();
  }

  ownRequest(): void {
    const { verb, group, resource, subresource } = this.#labels;
    this.#families.own.with(verb, group, resource, subresource).add();
  }

  #withDryRun(): string[] {
    const [verb = '', ...rest] = this.#values;
    return [verb, this.#labels.dryRun, ...rest];
  }

  #noteDeprecated(removedRelease: string): void {
    const { group, version, resource, subresource } = this.#labels;
    this.#families.deprecated.with(group, version, resource, subresource, removedRelease).value = 1;
  }
}

/** The labels of a counted request; label values come from a bounded set. */
export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
  readonly dryRun: string;
}

/** The counters of requests; the implementation knows upstream's metric names. */
export interface RequestMetrics {
  /** Whether a resource (and subresource) is served. All others are counted as one, so that clients cannot create series at will. */
  isServed(info: RequestInfo): boolean;
  /** Same labels, same counters. */
  countersFor(labels: RequestLabels): RequestCounters;
}

export interface RequestCounters {
  readonly isWatch: boolean;
  /** `ownSeconds` excludes time spent waiting for others: for a seat, for webhooks. */
  finished(code: number, seconds: number, ownSeconds: number, responseBytes: number): void;
  /** Counts a watch or other long-running request; returns the function to call at its end. */
  longRunning(): () => void;
  /** Events of these sizes are handed to the client of a watch. */
  watchEvents(bytes: readonly number[]): void;
  /** The server has ended the request in self-defence. */
  terminated(code: number): void;
  /** The request was the server's own. */
  ownRequest(): void;
}
