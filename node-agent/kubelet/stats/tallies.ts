import type { MetricFamily, Sample } from './metric-text.ts';

interface TallyDescription {
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds; absent: a counter. */
  readonly buckets?: readonly number[];
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const exponential = Array.from({ length: 10 }, (_, index) => 0.5 * 2 ** index);

/** All that is counted as it happens. */
const descriptions = {
  kubelet_runtime_operations_total: {
    help: '[ALPHA] Cumulative number of runtime operations by operation type.',
    labels: ['operation_type'],
  },
  kubelet_runtime_operations_errors_total: {
    help: '[ALPHA] Cumulative number of runtime operation errors by operation type.',
    labels: ['operation_type'],
  },
  kubelet_runtime_operations_duration_seconds: {
    help: '[ALPHA] Duration in seconds of runtime operations. Broken down by operation type.',
    labels: ['operation_type'],
    buckets: [
      0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125, 19.073486328125, 47.6837158203125,
      119.20928955078125, 298.0232238769531, 745.0580596923828,
    ],
  },
  kubelet_started_pods_total: { help: '[ALPHA] Cumulative number of pods started', labels: [] },
  kubelet_started_containers_total: { help: '[ALPHA] Cumulative number of containers started', labels: ['container_type'] },
  kubelet_preemptions: { help: '[ALPHA] Cumulative number of pod preemptions by preemption resource', labels: ['preemption_signal'] },
  kubelet_evictions: { help: '[ALPHA] Cumulative number of pod evictions by eviction signal', labels: ['eviction_signal'] },
  kubelet_image_garbage_collected_total: {
    help: '[ALPHA] Total number of images garbage collected by the kubelet, whether through disk usage or image age.',
    labels: ['reason'],
  },
  kubelet_http_requests_total: {
    help: '[ALPHA] Number of the http requests received since the server started',
    labels: ['long_running', 'method', 'path', 'server_type'],
  },
  kubelet_http_requests_duration_seconds: {
    help: '[ALPHA] Duration in seconds to serve http requests',
    labels: ['long_running', 'method', 'path', 'server_type'],
    buckets: seconds,
  },
  kubelet_device_plugin_registration_total: {
    help: '[ALPHA] Cumulative number of device plugin registrations. Broken down by resource name.',
    labels: ['resource_name'],
  },
  prober_probe_total: {
    help: '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.',
    labels: ['probe_type', 'result', 'container', 'pod', 'namespace', 'pod_uid'],
  },
  prober_probe_duration_seconds: {
    help: '[ALPHA] Duration in seconds for a probe response.',
    labels: ['probe_type', 'container', 'pod', 'namespace'],
    buckets: exponential,
  },
} as const satisfies Record<string, TallyDescription>;

type TallyName = keyof typeof descriptions;

interface Series {
  readonly values: readonly string[];
  sum: number;
  count: number;
  readonly buckets: number[];
}

/** Counters and histograms. Bounded by the combinations of labels; those of a Pod are dropped with the Pod. */
export interface Tallies {
  /** Adds `amount` to a counter, or observes it in a histogram. Label values are in the order of the labels. */
  add(name: TallyName, values: readonly string[], amount?: number): void;
  /** All but the probes'. */
  families(): MetricFamily[];
  probeFamilies(): MetricFamily[];
  /** Drops the series of a Pod that is gone. */
  forgetPod(pod: { readonly namespace: string; readonly name: string }): void;
}

const isOfProbes = (name: string) => name.startsWith('prober_');

export function createTallies(): Tallies {
  const all = new Map<TallyName, Map<string, Series>>();
  const family = (name: TallyName, seriesOf: ReadonlyMap<string, Series>): MetricFamily => {
    const { help, labels, buckets }: TallyDescription = descriptions[name];
    const named = (values: readonly string[]) => Object.fromEntries(labels.map((label, index) => [label, values[index] ?? '']));
    const samples = [...seriesOf.values()].flatMap((series): Sample[] =>
      buckets ? histogram(series, buckets, named(series.values)) : [{ labels: named(series.values), value: series.sum }],
    );
    return { name, help, type: buckets ? 'histogram' : 'counter', samples };
  };
  return {
    add(name, values, amount = 1) {
      const { buckets = [] }: TallyDescription = descriptions[name];
      const seriesOf = all.get(name) ?? new Map<string, Series>();
      all.set(name, seriesOf);
      const key = values.join('\n');
      const series = seriesOf.get(key) ?? { values, sum: 0, count: 0, buckets: buckets.map(() => 0) };
      seriesOf.set(key, series);
      series.sum += amount;
      series.count++;
      buckets.forEach((bound, index) => {
        if (amount <= bound) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
      });
    },
    families: () => [...all].flatMap(([name, series]) => (isOfProbes(name) ? [] : [family(name, series)])),
    probeFamilies: () => [...all].flatMap(([name, series]) => (isOfProbes(name) ? [family(name, series)] : [])),
    forgetPod({ namespace, name }) {
      for (const [tally, seriesOf] of all) {
        const { labels }: TallyDescription = descriptions[tally];
        const [podAt, namespaceAt] = [labels.indexOf('pod'), labels.indexOf('namespace')];
        if (podAt < 0) continue;
        for (const [key, { values }] of seriesOf) if (values[podAt] === name && values[namespaceAt] === namespace) seriesOf.delete(key);
      }
    },
  };
}

function histogram({ sum, count, buckets }: Series, bounds: readonly number[], labels: Readonly<Record<string, string>>): Sample[] {
  return [
    ...bounds.map((bound, index) => ({ suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: buckets[index] ?? 0 })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ];
}
