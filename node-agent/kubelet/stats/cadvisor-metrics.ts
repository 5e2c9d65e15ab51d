import type { MachineFacts } from '../../linux/machine/machine.ts';
import type { MetricFamily, Sample } from './metric-text.ts';
import type { ContainerUsage, NodeStats, PodUsage } from './node-stats.ts';
import type { Pressure, StallTimes } from '../../linux/machine/pressure.ts';
import type { Pressures } from './pressures.ts';
import { runningContainers } from './running-containers.ts';

interface CadvisorMetricsInput {
  readonly stats: NodeStats;
  readonly machine: MachineFacts;
  readonly cgroupRoot: string;
  /** Cgroup of a Pod, by its uid. */
  readonly cgroupOf: (uid: string) => string | undefined;
  readonly pressures: Pressures;
}

type Labels = Readonly<Record<string, string>>;

/** A measured cgroup: a container, a Pod, all Pods, or the machine. */
interface Measured {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly cpuNanoSeconds?: number;
  readonly usageBytes?: number;
  readonly workingSetBytes?: number;
  readonly rssBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
  readonly layerBytes?: number;
  readonly startedMs?: number;
  readonly processes?: number;
  readonly pressure?: Pressure | undefined;
}

/** GET /metrics/cadvisor: containers, Pods and the machine under cAdvisor's names. */
export function cadvisorMetrics(input: CadvisorMetricsInput): MetricFamily[] {
  const { stats, machine } = input;
  const all = measured(input);
  const family = (name: string, help: string, type: MetricFamily['type'], of: (one: Measured) => number | undefined): MetricFamily => ({
    name,
    help,
    type,
    samples: all.flatMap((one) => {
      const value = of(one);
      return value === undefined ? [] : [{ labels: one.labels, value, timeMs: one.timeMs }];
    }),
  });
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : Math.floor(ms / 1000));
  return [
    versionInfo(machine),
    cpuFamily(all),
    family(
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      'gauge',
      (one) => one.layerBytes,
    ),
    family('container_last_seen', 'Last time a container was seen by the exporter', 'gauge', ({ timeMs }) => seconds(timeMs)),
    ...pageFaultFamily(all),
    family('container_memory_rss', 'Size of RSS in bytes.', 'gauge', (one) => one.rssBytes),
    family(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      'gauge',
      (one) => one.usageBytes,
    ),
    family('container_memory_working_set_bytes', 'Current working set in bytes.', 'gauge', (one) => one.workingSetBytes),
    ...networkFamilies(stats, input.cgroupOf),
    ...pressureKinds.flatMap(([kind, what]) => [
      family(
        `container_pressure_${kind}_stalled_seconds_total`,
        `Total time duration no tasks in the container could make progress due to ${what} congestion.`,
        'counter',
        ({ pressure }) => stalledSeconds(pressure?.[kind]?.full),
      ),
      family(
        `container_pressure_${kind}_waiting_seconds_total`,
        `Total time duration tasks in the container have waited due to ${what} congestion.`,
        'counter',
        ({ pressure }) => stalledSeconds(pressure?.[kind]?.some),
      ),
    ]),
    family('container_processes', 'Number of processes running inside the container.', 'gauge', (one) => one.processes),
    family('container_start_time_seconds', 'Start time of the container since unix epoch in seconds.', 'gauge', ({ startedMs }) =>
      seconds(startedMs),
    ),
    machineFamily('machine_cpu_cores', 'Number of logical CPU cores.', machine, machine.cpus),
    machineFamily('machine_memory_bytes', 'Amount of memory installed on the machine.', machine, machine.memoryBytes),
    machineFamily('machine_swap_bytes', 'Amount of swap memory available on the machine.', machine, machine.swapBytes),
  ];
}

const pressureKinds = [
  ['cpu', 'CPU'],
  ['memory', 'memory'],
  ['io', 'IO'],
] as const;

function stalledSeconds(times: StallTimes | undefined): number | undefined {
  return times && times.total / 1e6;
}

function measured({ stats, cgroupRoot, cgroupOf, pressures }: CadvisorMetricsInput): Measured[] {
  const { usage, podsCgroup, cpu, timeMs } = stats;
  const base = { container: '', image: '', name: '', namespace: '', pod: '' };
  const machine = { cpuNanoSeconds: cpu.usageCoreNanoSeconds, ...usage.memory, pressure: pressures.node };
  const node: Measured = { labels: { ...base, id: '/' }, timeMs, ...machine };
  const root: Measured[] = podsCgroup
    ? [
        {
          labels: { ...base, id: cgroupRoot },
          timeMs,
          cpuNanoSeconds: podsCgroup.cpuNanoSeconds,
          ...podsCgroup.memory,
          pressure: pressures.allPods,
        },
      ]
    : [];
  const pods = stats.pods.flatMap((pod): Measured[] => {
    const cgroup = cgroupOf(pod.uid) ?? `${cgroupRoot}/pod${pod.uid}`;
    const own = { namespace: pod.namespace, pod: pod.name };
    return [
      { labels: { ...base, ...own, id: cgroup }, processes: pod.processes, ...usageOf(pod, timeMs), pressure: pressures.pods.get(pod.uid) },
      ...runningContainers(pod.containers).map((container) => ({
        labels: { ...own, container: container.name, image: container.image, name: container.id, id: `${cgroup}/${container.id}` },
        layerBytes: container.layerBytes,
        ...(container.startedMs === undefined ? {} : { startedMs: container.startedMs }),
        ...usageOf(container, timeMs),
        pressure: pressures.containers.get(container.id),
      })),
    ];
  });
  return [node, ...root, ...pods];
}

function usageOf({ cpu, memory }: PodUsage | ContainerUsage, nowMs: number): Omit<Measured, 'labels'> {
  return { ...memory, timeMs: cpu?.timeMs ?? nowMs, ...(cpu ? { cpuNanoSeconds: cpu.usageCoreNanoSeconds } : {}) };
}

function cpuFamily(all: readonly Measured[]): MetricFamily {
  return {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    type: 'counter',
    samples: all.flatMap(({ labels, cpuNanoSeconds, timeMs }) =>
      cpuNanoSeconds === undefined ? [] : [{ labels: { ...labels, cpu: 'total' }, value: cpuNanoSeconds / 1e9, timeMs }],
    ),
  };
}

function pageFaultFamily(all: readonly Measured[]): MetricFamily[] {
  const samples = all.flatMap(({ labels, pageFaults, majorPageFaults, timeMs }): Sample[] =>
    pageFaults === undefined
      ? []
      : [
          { labels: { ...labels, failure_type: 'pgfault', scope: 'hierarchy' }, value: pageFaults, timeMs },
          { labels: { ...labels, failure_type: 'pgmajfault', scope: 'hierarchy' }, value: majorPageFaults ?? 0, timeMs },
        ],
  );
  return [{ name: 'container_memory_failures_total', help: 'Cumulative count of memory allocation failures.', type: 'counter', samples }];
}

function networkFamilies(stats: NodeStats, cgroupOf: CadvisorMetricsInput['cgroupOf']): MetricFamily[] {
  const node = {
    labels: { id: '/', image: '', name: '', namespace: '', pod: '' },
    interfaces: stats.usage.interfaces,
    timeMs: stats.timeMs,
  };
  const pods = stats.pods.map((pod) => ({
    labels: { id: cgroupOf(pod.uid) ?? '', image: '', name: pod.sandboxID, namespace: pod.namespace, pod: pod.name },
    interfaces: pod.interfaces,
    timeMs: pod.networkMs,
  }));
  const fields = [
    ['receive_bytes', 'bytes received', 'rxBytes'],
    ['receive_errors', 'errors encountered while receiving', 'rxErrors'],
    ['transmit_bytes', 'bytes transmitted', 'txBytes'],
    ['transmit_errors', 'errors encountered while transmitting', 'txErrors'],
  ] as const;
  return fields.map(([name, what, field]) => ({
    name: `container_network_${name}_total`,
    help: `Cumulative count of ${what}`,
    type: 'counter',
    samples: [node, ...pods].flatMap(({ labels, interfaces, timeMs }) =>
      interfaces.map((one) => ({ labels: { ...labels, interface: one.name }, value: one[field], timeMs })),
    ),
  }));
}

function versionInfo({ kernelVersion, osImage }: MachineFacts): MetricFamily {
  const labels = { cadvisorRevision: '', cadvisorVersion: '', dockerVersion: '', kernelVersion, osVersion: osImage };
  return {
    name: 'cadvisor_version_info',
    help: "A metric with a constant '1' value labeled by kernel version, OS version, docker version, cadvisor version & cadvisor revision.",
    type: 'gauge',
    samples: [{ labels, value: 1 }],
  };
}

function machineFamily(name: string, help: string, { bootID, machineID, systemUUID }: MachineFacts, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: { boot_id: bootID, machine_id: machineID, system_uuid: systemUUID }, value }] };
}
