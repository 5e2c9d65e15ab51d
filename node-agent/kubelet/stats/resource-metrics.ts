import type { MetricFamily, Sample } from './metric-text.ts';
import type { ContainerUsage, CPUStats, MemoryStats, NodeStats, PodUsage } from './node-stats.ts';

const nanoSeconds = 1e9;

/** GET /metrics/resource: what autoscalers and `kubectl top` are made from; undefined: it could not be measured. */
export function resourceMetrics(stats: NodeStats | undefined): MetricFamily[] {
  return [
    ...(stats ? [...containerFamilies(stats.pods), ...nodeFamilies(stats), ...podFamilies(stats.pods)] : []),
    {
      name: 'resource_scrape_error',
      help: '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
      type: 'gauge',
      samples: [{ value: stats ? 0 : 1 }],
    },
  ];
}

function containerFamilies(pods: readonly PodUsage[]): MetricFamily[] {
  const each = (of: (container: ContainerUsage) => Sample | undefined): Sample[] =>
    pods.flatMap((pod) =>
      pod.containers.flatMap((container) => {
        const labels = { container: container.name, namespace: pod.namespace, pod: pod.name };
        const sample = of(container);
        return sample ? [{ ...sample, labels }] : [];
      }),
    );
  return [
    {
      name: 'container_cpu_usage_seconds_total',
      help: '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
      type: 'counter',
      samples: each(({ cpu }) => cpuSample(cpu)),
    },
    {
      name: 'container_memory_working_set_bytes',
      help: '[STABLE] Current working set of the container in bytes',
      type: 'gauge',
      samples: each(({ memory }) => memorySample(memory)),
    },
    {
      name: 'container_start_time_seconds',
      help: '[STABLE] Start time of the container since unix epoch in seconds',
      type: 'gauge',
      samples: each(({ startedMs }) => (startedMs === undefined ? undefined : { value: startedMs / 1000 })),
    },
    {
      name: 'container_swap_usage_bytes',
      help: '[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems',
      type: 'gauge',
      samples: each(({ swapBytes, memory }) => (swapBytes === undefined ? undefined : timed(swapBytes, memory?.timeMs))),
    },
  ];
}

function nodeFamilies({ cpu, usage, timeMs }: NodeStats): MetricFamily[] {
  return [
    {
      name: 'node_cpu_usage_seconds_total',
      help: '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
      type: 'counter',
      samples: [timed(cpu.usageCoreNanoSeconds / nanoSeconds, timeMs)],
    },
    {
      name: 'node_memory_working_set_bytes',
      help: '[STABLE] Current working set of the node in bytes',
      type: 'gauge',
      samples: [timed(usage.memory.workingSetBytes, timeMs)],
    },
    {
      name: 'node_swap_usage_bytes',
      help: '[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems',
      type: 'gauge',
      samples: [timed(usage.swap.usageBytes, timeMs)],
    },
  ];
}

function podFamilies(pods: readonly PodUsage[]): MetricFamily[] {
  const each = (of: (pod: PodUsage) => Sample | undefined): Sample[] =>
    pods.flatMap((pod) => {
      const sample = of(pod);
      return sample ? [{ ...sample, labels: { namespace: pod.namespace, pod: pod.name } }] : [];
    });
  return [
    {
      name: 'pod_cpu_usage_seconds_total',
      help: '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      type: 'counter',
      samples: each(({ cpu }) => cpuSample(cpu)),
    },
    {
      name: 'pod_memory_working_set_bytes',
      help: '[STABLE] Current working set of the pod in bytes',
      type: 'gauge',
      samples: each(({ memory }) => memorySample(memory)),
    },
  ];
}

function cpuSample(cpu: CPUStats | undefined): Sample | undefined {
  return cpu && timed(cpu.usageCoreNanoSeconds / nanoSeconds, cpu.timeMs);
}

function memorySample(memory: MemoryStats | undefined): Sample | undefined {
  return memory && timed(memory.workingSetBytes, memory.timeMs);
}

function timed(value: number, timeMs: number | undefined): Sample {
  return timeMs === undefined ? { value } : { value, timeMs };
}
