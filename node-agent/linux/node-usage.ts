import * as fs from 'node:fs/promises';
import type { CgroupMount } from './cgroups.ts';

export interface MemoryAmounts {
  readonly usageBytes: number;
  /** In use and not reclaimable at once: usage without inactive file pages. */
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

export interface InterfaceCounters {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

/** What the machine as a whole uses. */
export interface NodeUsage {
  /** Since the machine was started. */
  readonly cpuNanoSeconds: number;
  readonly memory: MemoryAmounts & { readonly capacityBytes: number; readonly availableBytes: number };
  readonly swap: { readonly usageBytes: number; readonly availableBytes: number };
  readonly interfaces: readonly InterfaceCounters[];
  /** Name of the one with the default route. */
  readonly defaultInterface: string | undefined;
  /** Processes and threads. */
  readonly processes: { readonly max: number; readonly current: number };
}

/** What a cgroup and everything below it uses. */
export interface CgroupUsage {
  readonly cpuNanoSeconds: number;
  readonly memory: MemoryAmounts;
}

export interface UsageReader {
  node(): Promise<NodeUsage>;
  /** Undefined if there is no such cgroup. */
  cgroup(name: string): Promise<CgroupUsage | undefined>;
}

export function createUsageReader(mounts: readonly CgroupMount[]): UsageReader {
  const legacy = (controller: string) => mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))?.point;
  const [cpu, memory] = [legacy('cpuacct'), legacy('memory')];
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.point ?? '/sys/fs/cgroup';
  return {
    node: readNode,
    async cgroup(name) {
      try {
        return cpu !== undefined && memory !== undefined
          ? await readLegacy(`${cpu}${name}`, `${memory}${name}`)
          : await readUnified(`${unified}${name}`);
      } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENODEV')) return undefined;
        throw error;
      }
    },
  };
}

const text = (path: string): Promise<string> => fs.readFile(path, 'utf8');

async function readNode(): Promise<NodeUsage> {
  const [stat, meminfo, vmstat, devices, route, load, pidMax, threadsMax] = await Promise.all(
    ['stat', 'meminfo', 'vmstat', 'net/dev', 'net/route', 'loadavg', 'sys/kernel/pid_max', 'sys/kernel/threads-max'].map((name) =>
      text(`/proc/${name}`),
    ),
  );
  return {
    cpuNanoSeconds: parseCPU(stat ?? ''),
    ...parseMemory(meminfo ?? '', vmstat ?? ''),
    interfaces: parseInterfaces(devices ?? ''),
    defaultInterface: route
      ?.split('\n')
      .find((line) => line.split('\t')[1] === '00000000')
      ?.split('\t')[0],
    processes: { max: Math.min(Number(pidMax), Number(threadsMax)), current: Number(load?.split(' ')[3]?.split('/')[1] ?? 0) },
  };
}

/** Of a tick of USER_HZ, which is 100 wherever Linux runs. */
const tickNanoSeconds = 10_000_000;

/** /proc/stat: all but idle and waiting; guests are counted in user already. */
export function parseCPU(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * tickNanoSeconds;
}

export function parseMemory(meminfo: string, vmstat: string): Pick<NodeUsage, 'memory' | 'swap'> {
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  const capacityBytes = kibibytes('MemTotal');
  const usageBytes = capacityBytes - kibibytes('MemFree');
  const workingSetBytes = Math.max(0, usageBytes - kibibytes('Inactive\\(file\\)'));
  return {
    memory: {
      capacityBytes,
      usageBytes,
      workingSetBytes,
      availableBytes: capacityBytes - workingSetBytes,
      rssBytes: kibibytes('AnonPages'),
      pageFaults: field(vmstat, 'pgfault'),
      majorPageFaults: field(vmstat, 'pgmajfault'),
    },
    swap: { usageBytes: kibibytes('SwapTotal') - kibibytes('SwapFree'), availableBytes: kibibytes('SwapFree') },
  };
}

/** /proc/net/dev without what belongs to Pods and bridges. */
export function parseInterfaces(devices: string): InterfaceCounters[] {
  return devices.split('\n').flatMap((line) => {
    const [, name = '', numbers = ''] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === '' || /^(lo|veth|docker|cni|nodelocaldns|dummy)/.test(name)) return [];
    const values = numbers.split(/\s+/).map(Number);
    const at = (index: number) => values[index] ?? 0;
    return [{ name, rxBytes: at(0), rxErrors: at(2), txBytes: at(8), txErrors: at(10) }];
  });
}

/** A line `name value` of a file of such lines. */
function field(content: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(content)?.[1] ?? 0);
}

async function readLegacy(cpu: string, memory: string): Promise<CgroupUsage> {
  const [usage, bytes, stat] = await Promise.all([
    text(`${cpu}/cpuacct.usage`),
    text(`${memory}/memory.usage_in_bytes`),
    text(`${memory}/memory.stat`),
  ]);
  return {
    cpuNanoSeconds: Number(usage),
    memory: memoryOf(Number(bytes), stat, { inactive: 'total_inactive_file', rss: 'total_rss', prefix: 'total_' }),
  };
}

async function readUnified(directory: string): Promise<CgroupUsage> {
  const [cpu, bytes, stat] = await Promise.all([
    text(`${directory}/cpu.stat`),
    text(`${directory}/memory.current`),
    text(`${directory}/memory.stat`),
  ]);
  return {
    cpuNanoSeconds: field(cpu, 'usage_usec') * 1000,
    memory: memoryOf(Number(bytes), stat, { inactive: 'inactive_file', rss: 'anon', prefix: '' }),
  };
}

interface StatNames {
  readonly inactive: string;
  readonly rss: string;
  readonly prefix: string;
}

export function memoryOf(usageBytes: number, stat: string, { inactive, rss, prefix }: StatNames): MemoryAmounts {
  return {
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - field(stat, inactive)),
    rssBytes: field(stat, rss),
    pageFaults: field(stat, `${prefix}pgfault`),
    majorPageFaults: field(stat, `${prefix}pgmajfault`),
  };
}
