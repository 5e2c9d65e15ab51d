import { formatTime } from '../../../api/meta/time.ts';
import type { CgroupUsage, InterfaceCounters, MemoryAmounts, NodeUsage } from '../../linux/machine/node-usage.ts';
import type { Pressure, PressureStall, StallTimes } from '../../linux/machine/pressure.ts';
import type { FileSystemStats } from './file-system.ts';
import type { ContainerUsage, CPUStats, MemoryStats, NodeStats, PodUsage } from './node-stats.ts';
import type { VolumeUsage } from './pod-storage.ts';
import type { Pressures } from './pressures.ts';
import { runningContainers } from './running-containers.ts';

interface SummaryInput {
  readonly stats: NodeStats;
  readonly nodeName: string;
  /** The time of the agent's start, milliseconds since the Unix epoch. */
  readonly startedMs: number;
  /** The start time of a Pod from its status; undefined: the Pod is no longer known. */
  readonly startOf: (uid: string) => string | undefined;
  /** A Pod's data on the node's disk. */
  readonly storageOf: (uid: string) => PodStorage | undefined;
  readonly pressures: Pressures;
  /** Usage of the agent and the runtime, as of system-containers.ts. */
  readonly systemContainers: readonly unknown[];
}

interface PodStorage {
  readonly volumes: readonly VolumeUsage[];
  /** By container. */
  readonly logs: ReadonlyMap<string, { readonly bytes: number; readonly inodes: number }>;
}

/** GET /stats/summary (https://kubernetes.io/docs/reference/instrumentation/node-metrics/). */
export function statsSummary(input: SummaryInput): unknown {
  const { stats, nodeName, startedMs, pressures } = input;
  const { usage, timeMs, podsCgroup } = stats;
  const { node } = pressures;
  const time = formatTime(timeMs);
  return {
    node: {
      nodeName,
      systemContainers: [...input.systemContainers, ...(podsCgroup ? [allPods(input, podsCgroup)] : [])],
      startTime: formatTime(startedMs),
      cpu: cpu(stats.cpu, node?.cpu),
      memory: { time, availableBytes: usage.memory.availableBytes, ...memoryFields(usage.memory), ...psi(node?.memory) },
      ...io(time, node),
      network: network(time, usage.interfaces, usage.defaultInterface),
      fs: fileSystem(time, stats.nodeFs),
      runtime: stats.imageFs ? { imageFs: fileSystem(time, stats.imageFs), containerFs: fileSystem(time, containerFs(stats)) } : {},
      rlimit: rlimit(time, usage),
      swap: { time, swapAvailableBytes: usage.swap.availableBytes, swapUsageBytes: usage.swap.usageBytes },
    },
    pods: stats.pods.flatMap((pod) => podSummary(input, pod) ?? []),
  };
}

function allPods({ stats, startedMs, pressures: { allPods: pressure } }: SummaryInput, used: CgroupUsage) {
  const time = formatTime(stats.timeMs);
  return {
    name: 'pods',
    startTime: formatTime(startedMs),
    cpu: { time, usageCoreNanoSeconds: used.cpuNanoSeconds, ...psi(pressure?.cpu) },
    memory: { time, ...availableOf(used), ...memoryFields(used.memory), ...psi(pressure?.memory) },
    ...io(time, pressure),
  };
}

function podSummary({ stats, startOf, storageOf, pressures }: SummaryInput, pod: PodUsage) {
  const startTime = startOf(pod.uid);
  if (startTime === undefined) return undefined;
  const time = formatTime(stats.timeMs);
  const storage = storageOf(pod.uid);
  const pressure = pressures.pods.get(pod.uid);
  return {
    podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    startTime,
    containers: runningContainers(pod.containers).map((container) =>
      containerSummary(stats, container, storage, pressures.containers.get(container.id)),
    ),
    ...(pod.cpu ? { cpu: cpu(pod.cpu, pressure?.cpu) } : {}),
    ...(pod.memory ? { memory: memory(pod.memory, pressure?.memory) } : {}),
    ...io(time, pressure),
    ...(pod.interfaces.length > 0 ? { network: network(formatTime(pod.networkMs), pod.interfaces, pod.defaultInterface) } : {}),
    ...(storage ? storageSummary(stats, pod, storage) : {}),
    process_stats: { process_count: pod.processes },
    swap: { time, swapUsageBytes: pod.containers.reduce((sum, { swapBytes = 0 }) => sum + swapBytes, 0) },
  };
}

function storageSummary(stats: NodeStats, pod: PodUsage, { volumes, logs }: PodStorage) {
  const time = formatTime(stats.timeMs);
  const local = volumes.filter(({ isLocal }) => isLocal);
  const layers = pod.containers.map(({ layerBytes, layerInodes }) => ({ bytes: layerBytes, inodes: layerInodes }));
  const parts = [...local, ...logs.values(), ...layers];
  const used = { usedBytes: total(parts.map(({ bytes }) => bytes)), inodesUsed: total(parts.map(({ inodes }) => inodes)) };
  return {
    volume: volumes.map(({ name, bytes, inodes, claim, fileSystem: own = stats.nodeFs }) => ({
      ...fileSystem(time, { ...own, usedBytes: bytes, inodesUsed: inodes }),
      name,
      ...(claim === undefined ? {} : { pvcRef: { name: claim, namespace: pod.namespace } }),
    })),
    'ephemeral-storage': fileSystem(time, { ...stats.nodeFs, ...used }),
  };
}

function containerSummary(stats: NodeStats, container: ContainerUsage, storage: PodStorage | undefined, pressure: Pressure | undefined) {
  const time = formatTime(stats.timeMs);
  const rootfs = { ...(stats.imageFs ?? stats.nodeFs), usedBytes: container.layerBytes, inodesUsed: container.layerInodes };
  const log = storage?.logs.get(container.name);
  const swap = { ...(container.swapAvailableBytes === undefined ? {} : { swapAvailableBytes: container.swapAvailableBytes }) };
  return {
    name: container.name,
    startTime: container.startedMs === undefined ? null : formatTime(container.startedMs),
    ...(container.cpu ? { cpu: cpu(container.cpu, pressure?.cpu) } : {}),
    ...(container.memory ? { memory: memory(container.memory, pressure?.memory) } : {}),
    ...io(time, pressure),
    rootfs: fileSystem(time, rootfs),
    ...(log ? { logs: fileSystem(time, { ...stats.nodeFs, usedBytes: log.bytes, inodesUsed: log.inodes }) } : {}),
    ...(container.swapBytes === undefined ? {} : { swap: { time, ...swap, swapUsageBytes: container.swapBytes } }),
  };
}

/** The writable layers of all containers, on the file system of the images. */
function containerFs({ imageFs, nodeFs, pods }: NodeStats): FileSystemStats {
  const containers = pods.flatMap((pod) => pod.containers);
  return {
    ...(imageFs ?? nodeFs),
    usedBytes: total(containers.map(({ layerBytes }) => layerBytes)),
    inodesUsed: total(containers.map(({ layerInodes }) => layerInodes)),
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function cpu({ timeMs, usageCoreNanoSeconds, usageNanoCores }: CPUStats, pressure: PressureStall | undefined) {
  const rate = usageNanoCores === undefined ? {} : { usageNanoCores };
  return { time: formatTime(timeMs), ...rate, usageCoreNanoSeconds, ...psi(pressure) };
}

function memory(stats: MemoryStats, pressure: PressureStall | undefined) {
  return { time: formatTime(stats.timeMs), ...memoryFields(stats), ...psi(pressure) };
}

function io(time: string, pressure: Pressure | undefined) {
  return pressure?.io ? { io: { time, ...psi(pressure.io) } } : {};
}

/** Totals in microseconds, as the kernel and upstream's kubelet have them. */
function psi(pressure: PressureStall | undefined) {
  return pressure ? { psi: { full: stallTimes(pressure.full), some: stallTimes(pressure.some) } } : {};
}

function stallTimes({ total, avg10, avg60, avg300 }: StallTimes) {
  return { total, avg10, avg60, avg300 };
}

function availableOf({ memory: { workingSetBytes }, memoryLimitBytes }: CgroupUsage) {
  return memoryLimitBytes === undefined ? {} : { availableBytes: Math.max(0, memoryLimitBytes - workingSetBytes) };
}

function memoryFields({ usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults }: MemoryAmounts) {
  return { usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults };
}

function network(time: string, interfaces: readonly InterfaceCounters[], defaultInterface: string | undefined) {
  const first = interfaces.find(({ name }) => name === defaultInterface) ?? interfaces[0];
  return { time, ...first, interfaces };
}

function rlimit(time: string, { processes }: NodeUsage) {
  return { time, maxpid: processes.max, curproc: processes.current };
}

function fileSystem(time: string, stats: FileSystemStats) {
  const { availableBytes, capacityBytes, usedBytes, inodesFree, inodes, inodesUsed } = stats;
  return { time, availableBytes, capacityBytes, usedBytes, inodesFree, inodes, inodesUsed };
}
