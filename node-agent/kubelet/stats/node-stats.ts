import type { Clock } from '../../../api/base/clock.ts';
import type { ContainerStats, InterfaceUsage, SandboxStats } from '../../cri/messages.ts';
import type { ContainerRuntime, ImageStore } from '../../cri/runtime.ts';
import type { CgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { CgroupUsage, InterfaceCounters, NodeUsage, UsageReader } from '../../linux/machine/node-usage.ts';
import { fileSystemOf, type FileSystemStats } from './file-system.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import { nanosToMs } from '../runtime/runtime-pod.ts';
import { createSandboxStatsReader } from './sandbox-stats.ts';
import { shareReadings } from './share-readings.ts';

export interface CPUStats {
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly usageCoreNanoSeconds: number;
  /** The rate since the measurement before; absent at the first one. */
  readonly usageNanoCores: number | undefined;
}

export interface MemoryStats {
  readonly timeMs: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

export interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  /** Ended containers are kept by the runtime, and take up room on the disk. */
  readonly isRunning: boolean;
  /** When it was started; absent where the runtime has just forgotten it. */
  readonly startedMs: number | undefined;
  readonly image: string;
  readonly cpu: CPUStats | undefined;
  readonly memory: MemoryStats | undefined;
  readonly swapBytes: number | undefined;
  readonly swapAvailableBytes: number | undefined;
  /** Size of the writable layer. */
  readonly layerBytes: number;
  readonly layerInodes: number;
}

export interface PodUsage {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxID: string;
  readonly cpu: CPUStats | undefined;
  readonly memory: MemoryStats | undefined;
  readonly interfaces: readonly InterfaceCounters[];
  readonly defaultInterface: string | undefined;
  readonly networkMs: number;
  readonly processes: number;
  readonly containers: readonly ContainerUsage[];
}

/** The usage of the node and everything on it at one moment. */
export interface NodeStats {
  readonly timeMs: number;
  readonly usage: NodeUsage;
  readonly cpu: CPUStats;
  /** All Pods together. */
  readonly podsCgroup: CgroupUsage | undefined;
  /** Usage of the file system that holds Pods. */
  readonly nodeFs: FileSystemStats;
  /** Usage of the file system that holds images; used are images alone. Absent where the runtime does not say. */
  readonly imageFs: FileSystemStats | undefined;
  readonly pods: readonly PodUsage[];
}

interface NodeStatsDependencies {
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  readonly files: HostFiles;
  readonly usage: UsageReader;
  readonly clock: Clock;
  readonly podsDirectory: string;
  readonly cgroupNames: CgroupNames;
}

/** Measures when asked; those who ask within a second of each other get the same. */
export interface NodeStatsSource {
  read(): Promise<NodeStats>;
}

export function createNodeStatsSource(dependencies: NodeStatsDependencies): NodeStatsSource {
  const readSandboxes = createSandboxStatsReader(dependencies);
  const rates = createRates();
  return { read: shareReadings(() => measure(dependencies, readSandboxes, rates), dependencies.clock) };
}

export interface Rates {
  rate(key: string, timeMs: number, usageCoreNanoSeconds: number): number | undefined;
  /** Forgets all that was not asked about since the last call. */
  sweep(): void;
}

/** Nanocores out of growing counters. */
export function createRates(): Rates {
  interface Reading {
    readonly timeMs: number;
    readonly total: number;
    readonly rate: number | undefined;
  }
  let before = new Map<string, Reading>();
  let now = new Map<string, Reading>();
  return {
    rate(key, timeMs, total) {
      const old = before.get(key);
      let rate = old?.rate;
      // A runtime may answer twice with the same measurement, whose rate is then still valid.
      if (old && timeMs > old.timeMs)
        rate = total >= old.total ? Math.round(((total - old.total) * 1000) / (timeMs - old.timeMs)) : undefined;
      now.set(key, { timeMs, total, rate });
      return rate;
    },
    sweep() {
      before = now;
      now = new Map();
    },
  };
}

async function measure(
  { runtime, images, files, usage, clock, podsDirectory, cgroupNames }: NodeStatsDependencies,
  readSandboxes: () => Promise<readonly SandboxStats[]>,
  rates: Rates,
): Promise<NodeStats> {
  const [node, podsCgroup, sandboxes, containers, nodeFs, imageFs] = await Promise.all([
    usage.node(),
    usage.cgroup(cgroupNames.root),
    readSandboxes(),
    runtime.listContainers(),
    files.capacity(podsDirectory),
    images.imageFileSystem(),
  ]);
  const timeMs = clock.nowMs();
  const known = new Map(containers.map((container) => [container.id, container]));
  const imageRoot = imageFs && (await files.capacity(imageFs.mountpoint));
  const read: Reading = {
    timeMs,
    listed: known,
    cpuOf(key, cpu) {
      if (!cpu?.usage_core_nano_seconds) return undefined;
      const atMs = nanosToMs(cpu.timestamp);
      const total = Number(cpu.usage_core_nano_seconds.value);
      return { timeMs: atMs, usageCoreNanoSeconds: total, usageNanoCores: rates.rate(key, atMs, total) };
    },
  };
  const pods = sandboxes.flatMap((sandbox) => podUsageOf(sandbox, read));
  const cpu = { timeMs, usageCoreNanoSeconds: node.cpuNanoSeconds, usageNanoCores: rates.rate('', timeMs, node.cpuNanoSeconds) };
  rates.sweep();
  return {
    timeMs,
    usage: node,
    cpu,
    podsCgroup,
    nodeFs: fileSystemOf(nodeFs),
    imageFs: imageFs && imageRoot && { ...fileSystemOf(imageRoot), usedBytes: imageFs.usedBytes, inodesUsed: imageFs.inodesUsed },
    pods,
  };
}

/** The common part of the readings of one moment. */
interface Reading {
  readonly timeMs: number;
  /** The containers that the runtime lists, by id. */
  readonly listed: ReadonlyMap<string, Awaited<ReturnType<ContainerRuntime['listContainers']>>[number]>;
  cpuOf(key: string, cpu: ContainerStats['cpu']): CPUStats | undefined;
}

function podUsageOf({ attributes, linux }: SandboxStats, reading: Reading): PodUsage[] {
  if (!linux) return [];
  const { id, metadata, labels } = attributes;
  return [
    {
      uid: labels[runtimeLabels.podUID] ?? metadata.uid,
      name: metadata.name,
      namespace: metadata.namespace,
      sandboxID: id,
      cpu: reading.cpuOf(id, linux.cpu),
      memory: memoryOf(linux.memory),
      interfaces: [
        ...(linux.network?.default_interface ? [linux.network.default_interface] : []),
        ...(linux.network?.interfaces ?? []),
      ].map(interfaceOf),
      defaultInterface: linux.network?.default_interface?.name,
      networkMs: linux.network ? nanosToMs(linux.network.timestamp) : reading.timeMs,
      processes: number(linux.process?.process_count),
      containers: linux.containers.map((stats) => containerUsageOf(stats, reading)),
    },
  ];
}

function containerUsageOf(stats: ContainerStats, { listed, cpuOf }: Reading): ContainerUsage {
  const { id, metadata } = stats.attributes;
  const container = listed.get(id);
  return {
    id,
    name: metadata.name,
    isRunning: container === undefined || container.state === 'CONTAINER_RUNNING',
    startedMs: container && nanosToMs(container.created_at),
    image: container?.image?.image ?? '',
    cpu: cpuOf(id, stats.cpu),
    memory: memoryOf(stats.memory),
    swapBytes: optional(stats.swap?.swap_usage_bytes),
    swapAvailableBytes: optional(stats.swap?.swap_available_bytes),
    layerBytes: number(stats.writable_layer?.used_bytes),
    layerInodes: number(stats.writable_layer?.inodes_used),
  };
}

interface WireValue {
  readonly value: string;
}

function number(value: WireValue | null | undefined): number {
  return Number(value?.value ?? 0);
}

function optional(value: WireValue | null | undefined): number | undefined {
  return value ? Number(value.value) : undefined;
}

function memoryOf(memory: SandboxMemory): MemoryStats | undefined {
  if (!memory) return undefined;
  return {
    timeMs: nanosToMs(memory.timestamp),
    usageBytes: number(memory.usage_bytes),
    workingSetBytes: number(memory.working_set_bytes),
    rssBytes: number(memory.rss_bytes),
    pageFaults: number(memory.page_faults),
    majorPageFaults: number(memory.major_page_faults),
  };
}

type SandboxMemory = NonNullable<SandboxStats['linux']>['memory'];

function interfaceOf({ name, rx_bytes, rx_errors, tx_bytes, tx_errors }: InterfaceUsage): InterfaceCounters {
  return { name, rxBytes: number(rx_bytes), rxErrors: number(rx_errors), txBytes: number(tx_bytes), txErrors: number(tx_errors) };
}
