import type { MetricFamily, Sample } from './metric-text.ts';
import type { ContainerUsage, CPUStats, MemoryStats, NodeStats, PodUsage } from './node-stats.ts';
import { runningContainers } from './running-containers.ts';

export type ContainerResourceUsage = Pick<ContainerUsage, 'name' | 'startedMs' | 'cpu' | 'memory' | 'swapBytes'>;

/** The running containers, one of each name. */
export interface PodResourceUsage extends Pick<PodUsage, 'name' | 'namespace' | 'cpu' | 'memory'> {
  readonly containers: readonly ContainerResourceUsage[];
}

/** Processor time and memory of a node and its Pods. */
export interface ResourceUsage extends Pick<NodeStats, 'timeMs' | 'usage' | 'cpu'> {
  readonly pods: readonly PodResourceUsage[];
}

/** Usage of all measured containers and Pods. */
export function resourceUsageOf(stats: NodeStats): ResourceUsage {
  return { ...stats, pods: stats.pods.map((pod) => ({ ...pod, containers: runningContainers(pod.containers) })) };
}

const nanoSeconds = 1e9;

/** GET /metrics/resource, which autoscalers and `kubectl top` use; undefined: it could not be measured. */
export function resourceMetrics(stats: ResourceUsage | undefined): MetricFamily[] {
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

function containerFamilies(pods: readonly PodResourceUsage[]): MetricFamily[] {
  const each = (of: (container: ContainerResourceUsage) => Sample | undefined): Sample[] =>
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

function nodeFamilies({ cpu, usage, timeMs }: ResourceUsage): MetricFamily[] {
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

function podFamilies(pods: readonly PodResourceUsage[]): MetricFamily[] {
  const each = (of: (pod: PodResourceUsage) => Sample | undefined): Sample[] =>
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
