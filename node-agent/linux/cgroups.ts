import * as fs from 'node:fs/promises';
import { signalProcess } from './processes.ts';

/** Limits of a cgroup. Absent: not set. */
export interface CgroupLimits {
  /** 2 to 262144. */
  readonly cpuShares?: number;
  /** Microseconds of CPU time per 100 ms. */
  readonly cpuQuota?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
}

/** 0: none. */
export interface PresentLimits {
  /** Undefined in version 2, whose weights are made of shares in more ways than one. */
  readonly cpuShares: number | undefined;
  /** Microseconds of CPU time per period, and the period. */
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  readonly memoryBytes: number;
}

/** The node's cgroups, version 1 or 2. Names are absolute below the hierarchy's root: `/kubepods/burstable/pod...`. */
export interface Cgroups {
  readonly version: 1 | 2;
  ensure(name: string, limits: CgroupLimits): Promise<void>;
  /** Raises those limits that are lower; makes nothing. */
  widen(name: string, limits: CgroupLimits): Promise<void>;
  /** With everything below it; kills nothing. False if processes are still in it. */
  remove(name: string): Promise<boolean>;
  /** Kills every process in it and below. */
  kill(name: string): Promise<void>;
  /** Names of the direct children. */
  children(name: string): Promise<string[]>;
  /** The limits that a cgroup has now; undefined if there is no such cgroup. */
  limits(name: string): Promise<PresentLimits | undefined>;
  /** Files that take the pid of a process which is to be in it: one per hierarchy. */
  memberFiles(name: string): string[];
  /** Where the hierarchies are mounted, and how. */
  readonly mounts: readonly CgroupMount[];
}

export interface CgroupMount {
  readonly point: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly options: readonly string[];
}

const cpuPeriodMicroseconds = 100_000;

export async function createCgroups(): Promise<Cgroups> {
  const mounts = (await fs.readFile('/proc/self/mountinfo', 'utf8')).split('\n').flatMap((line): CgroupMount[] => {
    const [before, after] = line.split(' - ');
    const type = after?.split(' ')[0];
    const point = before?.split(' ')[4];
    const options = after?.split(' ')[2]?.split(',') ?? [];
    return point !== undefined && (type === 'cgroup' || type === 'cgroup2') ? [{ point, type, options }] : [];
  });
  const legacy = mounts.filter(({ type }) => type === 'cgroup');
  const roots = mounts.map(({ point }) => point);
  const version = legacy.length > 0 ? 1 : 2;
  const unified = roots[0] ?? '/sys/fs/cgroup';
  const rootOf = (controller: string) => legacy.find(({ options }) => options.includes(controller))?.point;
  const filesOf = (name: string, limits: CgroupLimits) =>
    (version === 2 ? unifiedValues(limits) : legacyValues(limits)).flatMap(({ controller, file, value }) => {
      const root = version === 2 ? unified : rootOf(controller);
      return root === undefined ? [] : [{ path: `${root}${name}/${file}`, value }];
    });
  return {
    version,
    mounts,
    memberFiles: (name) => roots.map((root) => `${root}${name}/cgroup.procs`),
    async ensure(name, limits) {
      if (version === 2) await ensureUnifiedDirectory(unified, name);
      else for (const root of roots) await ensureLegacyDirectory(root, name);
      for (const { path, value } of filesOf(name, limits)) await fs.writeFile(path, value);
    },
    async widen(name, limits) {
      for (const { path, value } of filesOf(name, limits)) {
        if (isWider(value, await fs.readFile(path, 'utf8'))) await fs.writeFile(path, value);
      }
    },
    async remove(name) {
      let empty = true;
      for (const root of roots) empty = (await removeTree(`${root}${name}`)) && empty;
      return empty;
    },
    async kill(name) {
      for (const root of roots) await killTree(`${root}${name}`);
    },
    async limits(name) {
      const names =
        version === 2
          ? ['cpu.max', 'memory.max'].map((file) => `${unified}${name}/${file}`)
          : [
              ...['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.shares'].map((file) => `${rootOf('cpu')}${name}/${file}`),
              `${rootOf('memory')}${name}/memory.limit_in_bytes`,
            ];
      const contents = await Promise.all(names.map((file) => fs.readFile(file, 'utf8').catch(() => undefined))); // gone meanwhile
      const known = contents.filter((content) => content !== undefined);
      if (known.length < names.length) return undefined;
      return version === 2 ? unifiedLimits(known) : legacyLimits(known);
    },
    async children(name) {
      const found = new Set<string>();
      for (const root of roots) for (const child of await childrenOf(`${root}${name}`)) found.add(child);
      return [...found];
    },
  };
}

/** Of cpu.cfs_quota_us, cpu.cfs_period_us, cpu.shares and memory.limit_in_bytes, where no limit is a number too large for any machine. */
export function legacyLimits([quota = '', period = '', shares = '', memory = '']: readonly string[]): PresentLimits {
  const memoryBytes = Number(memory);
  return {
    cpuShares: Number(shares),
    cpuQuota: Math.max(0, Number(quota)),
    cpuPeriod: Number(period),
    memoryBytes: memoryBytes >= 2 ** 62 ? 0 : memoryBytes,
  };
}

/** Of cpu.max and memory.max. */
export function unifiedLimits([cpu = '', memory = '']: readonly string[]): PresentLimits {
  const orNone = (value: string) => (value === 'max' ? 0 : Number(value));
  const [quota = '', period = ''] = cpu.trim().split(' ');
  return { cpuShares: undefined, cpuQuota: orNone(quota), cpuPeriod: Number(period), memoryBytes: orNone(memory.trim()) };
}

interface CgroupValue {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** What is written where in version 1, in this order. */
export function legacyValues({ cpuShares, cpuQuota, memoryBytes, pids }: CgroupLimits): CgroupValue[] {
  const values: CgroupValue[] = [];
  const add = (controller: string, file: string, value: number) => values.push({ controller, file, value: String(value) });
  if (cpuShares !== undefined) add('cpu', 'cpu.shares', cpuShares);
  if (cpuQuota !== undefined) {
    add('cpu', 'cpu.cfs_period_us', cpuPeriodMicroseconds);
    add('cpu', 'cpu.cfs_quota_us', cpuQuota > 0 ? cpuQuota : -1);
  }
  if (memoryBytes !== undefined) add('memory', 'memory.limit_in_bytes', memoryBytes > 0 ? memoryBytes : -1);
  if (pids !== undefined) values.push({ controller: 'pids', file: 'pids.max', value: pids > 0 ? String(pids) : 'max' });
  return values;
}

/** The same in version 2. */
export function unifiedValues({ cpuShares, cpuQuota, memoryBytes, pids }: CgroupLimits): CgroupValue[] {
  const values: CgroupValue[] = [];
  const orMax = (value: number) => (value > 0 ? String(value) : 'max');
  if (cpuShares !== undefined) values.push({ controller: 'cpu', file: 'cpu.weight', value: String(cpuWeight(cpuShares)) });
  if (cpuQuota !== undefined) values.push({ controller: 'cpu', file: 'cpu.max', value: `${orMax(cpuQuota)} ${cpuPeriodMicroseconds}` });
  if (memoryBytes !== undefined) values.push({ controller: 'memory', file: 'memory.max', value: orMax(memoryBytes) });
  if (pids !== undefined) values.push({ controller: 'pids', file: 'pids.max', value: orMax(pids) });
  return values;
}

/** Whether a limit allows more than the present one, both as they stand in the files: `max` and -1 are no limit. */
export function isWider(value: string, present: string): boolean {
  const amount = (text: string) => {
    const [first = ''] = text.trim().split(' ');
    return first === 'max' || first === '-1' ? Number.POSITIVE_INFINITY : Number(first);
  };
  return amount(value) > amount(present);
}

/** A new cpuset cgroup of version 1 takes no process before it has been given CPUs and memory nodes. */
async function ensureLegacyDirectory(root: string, name: string): Promise<void> {
  let path = root;
  for (const part of name.split('/').filter((segment) => segment !== '')) {
    const parent = path;
    path = `${path}/${part}`;
    const made = await fs.mkdir(path, { recursive: true });
    if (made === undefined || !root.endsWith('/cpuset')) continue;
    for (const file of ['cpuset.cpus', 'cpuset.mems']) await fs.writeFile(`${path}/${file}`, await fs.readFile(`${parent}/${file}`));
  }
}

/** The weight that kubelet and runtimes give to shares: 2..262144 onto 1..10000. */
export function cpuWeight(shares: number): number {
  return Math.floor(1 + ((Math.max(shares, 2) - 2) * 9999) / 262_142);
}

/** Controllers are handed down from the root to the cgroup's parent, as far as there are any. */
export async function ensureUnifiedDirectory(root: string, name: string): Promise<void> {
  let path = root;
  for (const part of name.split('/').filter((segment) => segment !== '')) {
    const available = (await fs.readFile(`${path}/cgroup.controllers`, 'utf8')).trim().split(' ');
    const wanted = ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb'].filter((controller) => available.includes(controller));
    await fs.writeFile(`${path}/cgroup.subtree_control`, wanted.map((controller) => `+${controller}`).join(' '));
    path = `${path}/${part}`;
    await fs.mkdir(path, { recursive: true });
  }
}

async function childrenOf(directory: string): Promise<string[]> {
  try {
    const entries = await fs.readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return []; // no such cgroup in this hierarchy
  }
}

async function removeTree(directory: string): Promise<boolean> {
  let empty = true;
  for (const child of await childrenOf(directory)) empty = (await removeTree(`${directory}/${child}`)) && empty;
  try {
    await fs.rmdir(directory);
    return empty;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

async function killTree(directory: string): Promise<void> {
  for (const child of await childrenOf(directory)) await killTree(`${directory}/${child}`);
  let members = '';
  try {
    members = await fs.readFile(`${directory}/cgroup.procs`, 'utf8');
  } catch {
    return; // gone meanwhile
  }
  for (const member of members.split('\n').filter((line) => line !== '' && line !== '0')) {
    signalProcess(Number(member), 'SIGKILL');
  }
}
