import * as fs from 'node:fs/promises';
import type { CgroupHierarchies } from '../cgroups/cgroup-hierarchies.ts';

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

/** Usage of the machine as a whole. */
export interface NodeUsage {
  /** The processor time used since the machine was started. */
  readonly cpuNanoSeconds: number;
  readonly memory: MemoryAmounts & { readonly capacityBytes: number; readonly availableBytes: number };
  readonly swap: { readonly usageBytes: number; readonly availableBytes: number };
  readonly interfaces: readonly InterfaceCounters[];
  /** The name of the interface with the default route. */
  readonly defaultInterface: string | undefined;
  /** Processes and threads. */
  readonly processes: { readonly max: number; readonly current: number };
}

/** Usage of a cgroup and everything below it. */
export interface CgroupUsage {
  readonly cpuNanoSeconds: number;
  readonly memory: MemoryAmounts;
  /** Undefined: none. */
  readonly memoryLimitBytes: number | undefined;
  /** Absent where the kernel does not count it. */
  readonly swapBytes?: number;
}

/** Usage of a cgroup, and of each of those right below it, by name. */
export interface CgroupTreeUsage {
  readonly usage: CgroupUsage;
  readonly children: ReadonlyMap<string, CgroupUsage>;
}

/** Usage of a Pod, by its cgroup. */
interface PodCgroupUsage extends CgroupTreeUsage {
  readonly processes: number;
  /** None where it shares the machine's. */
  readonly interfaces: readonly InterfaceCounters[];
  readonly defaultInterface: string | undefined;
}

export interface UsageReader {
  /** Undefined if there is no such cgroup. */
  pod(cgroup: string): Promise<PodCgroupUsage | undefined>;
  node(): Promise<NodeUsage>;
  /** How much swap the machine had when it was looked at last; undefined before that. */
  lastSwapBytes(): number | undefined;
  /** Undefined if there is no such cgroup. */
  cgroup(name: string): Promise<CgroupUsage | undefined>;
  /** The same with its children. */
  tree(name: string): Promise<CgroupTreeUsage | undefined>;
}

export function createUsageReader({ version, rootOf }: CgroupHierarchies): UsageReader {
  const [cpu, memory] = [rootOf('cpuacct') ?? '', rootOf('memory') ?? ''];
  const cgroup: UsageReader['cgroup'] = (name) =>
    unlessGone(version === 1 ? readLegacy(`${cpu}${name}`, `${memory}${name}`) : readUnified(`${memory}${name}`));
  const tree: UsageReader['tree'] = async (name) => {
    const [usage, entries] = await Promise.all([cgroup(name), unlessGone(fs.readdir(`${memory}${name}`, { withFileTypes: true }))]);
    if (!usage || !entries) return undefined;
    const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    const used = await Promise.all(names.map((child) => cgroup(`${name}/${child}`)));
    const children = names.flatMap((child, index): [string, CgroupUsage][] => {
      const own = used[index];
      return own ? [[child, own]] : [];
    });
    return { usage, children: new Map(children) };
  };
  let lastSwapBytes: number | undefined;
  return {
    async node() {
      const node = await readNode();
      lastSwapBytes = node.swap.usageBytes + node.swap.availableBytes;
      return node;
    },
    lastSwapBytes: () => lastSwapBytes,
    cgroup,
    tree,
    async pod(name) {
      const found = await tree(name);
      if (!found) return undefined;
      const members = await Promise.all([...found.children.keys()].map((child) => readMembers(`${memory}${name}/${child}`)));
      const pids = members.flat();
      return { ...found, processes: pids.length, ...(await readPodNetwork(pids[0])) };
    },
  };
}

/** Undefined for a file that vanished, before or during the read. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENODEV', 'ESRCH'].includes(String(error.code))) return undefined;
    throw error;
  }
}

async function readMembers(cgroup: string): Promise<number[]> {
  const members = (await unlessGone(text(`${cgroup}/cgroup.procs`))) ?? '';
  return members.split('\n').filter(Boolean).map(Number);
}

/** The network counters as the process sees them, unless it sees the agent's. */
async function readPodNetwork(pid: number | undefined): Promise<Pick<PodCgroupUsage, 'interfaces' | 'defaultInterface'>> {
  const nothing = { interfaces: [], defaultInterface: undefined };
  if (pid === undefined) return nothing;
  const read = await unlessGone(
    Promise.all([
      fs.readlink(`/proc/${pid}/ns/net`),
      fs.readlink('/proc/self/ns/net'),
      text(`/proc/${pid}/net/dev`),
      text(`/proc/${pid}/net/route`),
    ]),
  );
  if (!read) return nothing;
  const [its, own, devices, routes] = read;
  return its === own ? nothing : { interfaces: parseInterfaces(devices), defaultInterface: defaultInterface(routes) };
}

/** /proc/net/route: the interface of the route to everywhere. */
function defaultInterface(routes: string): string | undefined {
  return routes
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([, destination]) => destination === '00000000')?.[0];
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
    defaultInterface: defaultInterface(route ?? ''),
    processes: { max: Math.min(Number(pidMax), Number(threadsMax)), current: Number(load?.split(' ')[3]?.split('/')[1] ?? 0) },
  };
}

/** Length of a tick of USER_HZ, which is 100 wherever Linux runs. */
const tickNanoSeconds = 10_000_000;

/** /proc/stat: all but idle and waiting; guests are counted in user already. */
export function parseCPU(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * tickNanoSeconds;
}

/** /proc/meminfo and /proc/vmstat. */
export function parseMemory(meminfo: string, vmstat: string): Pick<NodeUsage, 'memory' | 'swap'> {
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  const capacityBytes = kibibytes('MemTotal');
  // The root cgroup counts in both versions like this: memory that the kernel uses itself, and can mostly give back, is left out.
  const usageBytes = ['AnonPages', 'Cached', 'Buffers', 'SwapCached'].reduce((sum, name) => sum + kibibytes(name), 0);
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

/** The interfaces in /proc/net/dev, without those of Pods and bridges. */
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
  const [usage, bytes, stat, limit] = await Promise.all([
    text(`${cpu}/cpuacct.usage`),
    text(`${memory}/memory.usage_in_bytes`),
    text(`${memory}/memory.stat`),
    text(`${memory}/memory.limit_in_bytes`),
  ]);
  return {
    cpuNanoSeconds: Number(usage),
    memory: memoryOf(Number(bytes), stat, { inactive: 'total_inactive_file', rss: 'total_rss', prefix: 'total_' }),
    memoryLimitBytes: memoryLimit(limit),
  };
}

async function readUnified(directory: string): Promise<CgroupUsage> {
  const [cpu, bytes, stat, limit, swap] = await Promise.all([
    text(`${directory}/cpu.stat`),
    text(`${directory}/memory.current`),
    text(`${directory}/memory.stat`),
    text(`${directory}/memory.max`),
    unlessGone(text(`${directory}/memory.swap.current`)),
  ]);
  return {
    cpuNanoSeconds: field(cpu, 'usage_usec') * 1000,
    memory: memoryOf(Number(bytes), stat, { inactive: 'inactive_file', rss: 'anon', prefix: '' }),
    memoryLimitBytes: memoryLimit(limit),
    ...(swap === undefined ? {} : { swapBytes: Number(swap) }),
  };
}

/** In version 1 no limit is a number too large for any machine. */
function memoryLimit(content: string): number | undefined {
  const bytes = Number(content);
  return Number.isNaN(bytes) || bytes >= 2 ** 62 ? undefined : bytes;
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
