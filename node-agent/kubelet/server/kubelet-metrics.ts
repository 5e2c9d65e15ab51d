import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import type { MetricFamily, Sample } from '../stats/metric-text.ts';
import type { Tallies } from '../stats/tallies.ts';

interface KubeletMetricsInput {
  readonly workers: PodWorkers;
  readonly nodeName: string;
  readonly tallies: Tallies;
  /** When the runtime was last heard of, seconds since the Unix epoch. */
  readonly lastSeenSeconds: number | undefined;
  readonly self: { readonly startedMs: number; readonly cpuSeconds: number; readonly residentBytes: number };
  readonly version: string;
}

/** GET /metrics: the kubelet's metrics of itself, under upstream's names. */
export function kubeletMetrics({ workers, nodeName, tallies, lastSeenSeconds, self, version }: KubeletMetricsInput): MetricFamily[] {
  const all = workers.all();
  const alive = all.filter((worker) => !isPodFinished(worker.pod()));
  const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({ name, help, type: 'gauge', samples });
  const major = /^v?(\d+)\.(\d+)/.exec(version);
  return [
    gauge('kubelet_node_name', "[ALPHA] The node's name. The count is always 1.", [{ labels: { node: nodeName }, value: 1 }]),
    gauge('kubelet_running_pods', '[BETA] Number of pods that have a running pod sandbox', [{ value: alive.length }]),
    gauge(
      'kubelet_running_containers',
      '[BETA] Number of containers currently running',
      containerStates(alive.map((worker) => worker.pod())),
    ),
    gauge(
      'kubelet_working_pods',
      '[ALPHA] Number of pods the kubelet is actually running, broken down by lifecycle phase, whether the pod is desired, orphaned, or runtime only (also orphaned), and whether the pod is static. An orphaned pod has been removed from local configuration or force deleted in the API and consumes resources that are not otherwise visible.',
      lifecycles(workers),
    ),
    gauge(
      'kubelet_pleg_last_seen_seconds',
      '[ALPHA] Timestamp in seconds when PLEG was last seen active.',
      lastSeenSeconds === undefined ? [] : [{ value: lastSeenSeconds }],
    ),
    ...tallies.families(),
    gauge(
      'kubernetes_build_info',
      "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
      [{ labels: { git_version: version, major: major?.[1] ?? '', minor: major?.[2] ?? '' }, value: 1 }],
    ),
    {
      name: 'process_cpu_seconds_total',
      help: 'Total user and system CPU time spent in seconds.',
      type: 'counter',
      samples: [{ value: self.cpuSeconds }],
    },
    gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', [{ value: self.residentBytes }]),
    gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', [{ value: self.startedMs / 1000 }]),
  ];
}

type PodOf = ReturnType<PodWorkers['all']>[number];

function containerStates(pods: readonly ReturnType<PodOf['pod']>[]): Sample[] {
  const counts = { created: 0, exited: 0, running: 0, unknown: 0 };
  for (const { status } of pods) {
    for (const { state } of status?.containerStatuses ?? []) {
      if (state?.running) counts.running++;
      else if (state?.terminated) counts[state.terminated.reason === 'ContainerStatusUnknown' ? 'unknown' : 'exited']++;
    }
  }
  return Object.entries(counts)
    .filter(([, value]) => value > 0)
    .map(([state, value]) => ({ labels: { container_state: state }, value }));
}

/** Upstream's names for where Pods are in their life. */
const lifecycle = {
  admitting: 'sync',
  preparing: 'sync',
  sandboxing: 'sync',
  running: 'sync',
  terminating: 'terminating',
  terminated: 'terminated',
  removing: 'terminated',
  removed: 'terminated',
} as const;

function lifecycles(workers: PodWorkers): Sample[] {
  const counts = new Map<string, number>();
  for (const worker of workers.all()) {
    const isStatic = worker.pod().metadata.annotations?.['kubernetes.io/config.source'] === 'file';
    const key = `${lifecycle[worker.state()]} ${isStatic ? 'true' : 'unknown'}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, value]) => {
    const [state = '', isStatic = ''] = key.split(' ');
    return { labels: { config: 'desired', lifecycle: state, static: isStatic === 'true' ? 'true' : '' }, value };
  });
}
