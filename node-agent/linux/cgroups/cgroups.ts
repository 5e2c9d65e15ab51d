import * as fs from 'node:fs/promises';
import { type CgroupHierarchies, type CgroupMount, cgroupHierarchies, parseCgroupMounts } from './cgroup-hierarchies.ts';
import {
  type CgroupLimits,
  isWider,
  legacyLimits,
  legacyValues,
  type PresentLimits,
  unifiedLimits,
  unifiedValues,
} from './cgroup-values.ts';
import { signalProcess } from '../processes/processes.ts';
import type { Slices } from './systemd-slices.ts';

/** The node's cgroups, version 1 or 2. Names are absolute below the hierarchy's root: `/kubepods/burstable/pod...`. */
export interface Cgroups {
  readonly version: 1 | 2;
  readonly hierarchies: CgroupHierarchies;
  /** Makes it where it is missing, and sets the limits. */
  ensure(name: string, limits: CgroupLimits): Promise<void>;
  /** Whether there is such a cgroup wherever these limits are to be set. */
  exists(name: string, limits: CgroupLimits): Promise<boolean>;
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
  /** Whether the kernel can limit the swap of a cgroup by itself (version 2), or together with its memory (version 1). */
  limitsSwap(name: string): Promise<boolean>;
  /** Whether the kernel limits the huge pages of cgroups. */
  limitsHugePages(): Promise<boolean>;
  /** The files that take the pid of a process to move it into the cgroup: one per hierarchy. */
  memberFiles(name: string): string[];
  /** The mounts of cgroup hierarchies. */
  readonly mounts: readonly CgroupMount[];
}

export async function readCgroupHierarchies(): Promise<CgroupHierarchies> {
  return cgroupHierarchies(parseCgroupMounts(await fs.readFile('/proc/self/mountinfo', 'utf8')));
}

/** `slices`: makes cgroups, and sets their limits, where systemd does that; names are paths of slices then. */
export async function createCgroups(slices?: Slices): Promise<Cgroups> {
  const hierarchies = await readCgroupHierarchies();
  const { version, roots, rootOf, mounts } = hierarchies;
  const unified = roots[0] ?? '';
  const filesOf = (name: string, limits: CgroupLimits) =>
    (version === 2 ? unifiedValues(limits) : legacyValues(limits)).flatMap(({ controller, file, value }) => {
      const root = rootOf(controller);
      return root === undefined ? [] : [{ path: `${root}${name}/${file}`, value, controller }];
    });
  const set = async (name: string, limits: CgroupLimits, isMade: boolean) => {
    if (slices && !isMade) await slices.set(name, limits);
    for (const { path, value, controller } of filesOf(name, limits)) {
      // A file is never made in a cgroup: the kernel refuses that as forbidden, and not as missing.
      if (controller === 'hugetlb') await fs.writeFile(path, value, { flag: 'r+' }).catch(ignoreMissing);
      else if (!slices) await fs.writeFile(path, value);
    }
  };
  return {
    version,
    hierarchies,
    mounts,
    memberFiles: (name) => roots.map((root) => `${root}${name}/cgroup.procs`),
    async ensure(name, limits) {
      let isMade = false;
      if (slices) isMade = await slices.start(name, limits, () => isDirectory(`${unified}${name}`));
      // For slices as well: systemd hands down the controllers that it knows, and hugetlb is none of them.
      if (version === 2) await ensureUnifiedDirectory(unified, name);
      else for (const root of roots) await ensureLegacyDirectory(root, name);
      await set(name, limits, isMade);
    },
    async exists(name, limits) {
      const present = await Promise.all(filesOf(name, limits).map(({ path }) => isDirectory(path.slice(0, path.lastIndexOf('/')))));
      return present.every(Boolean);
    },
    async widen(name, limits) {
      const { hugePages: _huge, ...rest } = limits;
      const files = filesOf(name, rest);
      const isNarrow = async ({ path, value }: (typeof files)[number]) => isWider(value, await fs.readFile(path, 'utf8'));
      for (const file of files) if (!slices && (await isNarrow(file))) await fs.writeFile(file.path, file.value);
      if (slices)
        await slices.set(name, await widerOnly(rest, async (one) => (await Promise.all(filesOf(name, one).map(isNarrow))).some(Boolean)));
    },
    async remove(name) {
      if (slices && !(await slices.stop(name, () => isPopulated(`${unified}${name}`)))) return false;
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
          ? ['cpu.max', 'memory.max', 'cpu.weight'].map((file) => `${unified}${name}/${file}`)
          : [
              ...['cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.shares'].map((file) => `${rootOf('cpu')}${name}/${file}`),
              `${rootOf('memory')}${name}/memory.limit_in_bytes`,
            ];
      const contents = await Promise.all(names.map((file) => fs.readFile(file, 'utf8').catch(() => undefined))); // gone meanwhile
      const known = contents.filter((content) => content !== undefined);
      if (known.length < names.length) return undefined;
      return version === 2 ? unifiedLimits(known) : legacyLimits(known);
    },
    async limitsSwap(name) {
      const root = rootOf('memory');
      if (root === undefined) return false;
      const file = version === 2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes';
      return (await fs.stat(`${root}${name}/${file}`).catch(() => undefined)) !== undefined; // the kernel has none
    },
    async limitsHugePages() {
      if (version === 1) return rootOf('hugetlb') !== undefined;
      return (await fs.readFile(`${unified}/cgroup.controllers`, 'utf8')).split(/\s/).includes('hugetlb');
    },
    async children(name) {
      const found = new Set<string>();
      for (const root of roots) for (const child of await childrenOf(`${root}${name}`)) found.add(child);
      return [...found];
    },
  };
}

/** The limits that are wider than the present ones. */
async function widerOnly(limits: CgroupLimits, isWiderThanPresent: (one: CgroupLimits) => Promise<boolean>): Promise<CgroupLimits> {
  const entries = Object.entries(limits);
  const wider = await Promise.all(entries.map(([key, value]) => isWiderThanPresent({ [key]: value })));
  return Object.fromEntries(entries.filter((_, index) => wider[index]));
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined))?.isDirectory() ?? false; // there is none
}

/** Whether processes are in a cgroup of version 2 or below it. */
async function isPopulated(directory: string): Promise<boolean> {
  return /^populated 1$/m.test(await fs.readFile(`${directory}/cgroup.events`, 'utf8').catch(() => '')); // gone
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

/** Controllers are handed down from the root to the cgroup's parent, as far as there are any. */
export async function ensureUnifiedDirectory(root: string, name: string): Promise<void> {
  let path = root;
  for (const part of name.split('/').filter((segment) => segment !== '')) {
    const available = (await fs.readFile(`${path}/cgroup.controllers`, 'utf8')).trim().split(' ');
    await enableControllers(path, available);
    path = `${path}/${part}`;
    await fs.mkdir(path, { recursive: true });
  }
}

/** Limits of Pods are set by these: a node without them is none. */
const requiredControllers = ['cpu', 'memory', 'pids'];
const optionalControllers = ['cpuset', 'io', 'hugetlb'];

/** The kernel accepts or refuses everything that is written at once, so refused controllers are found one by one. */
async function enableControllers(path: string, available: readonly string[]): Promise<void> {
  const file = `${path}/cgroup.subtree_control`;
  const enabled = (await fs.readFile(file, 'utf8').catch(() => '')).trim().split(' '); // not there: the write says so
  const missing = [...requiredControllers, ...optionalControllers].filter((name) => available.includes(name) && !enabled.includes(name));
  if (missing.length === 0) return;
  const enable = (names: readonly string[]) => fs.writeFile(file, names.map((name) => `+${name}`).join(' '));
  const refused = await enable(missing).then(
    () => false,
    () => true,
  );
  if (!refused) return;
  for (const name of missing) {
    try {
      await enable([name]);
    } catch (error) {
      if (!requiredControllers.includes(name)) continue;
      const isBusy = error instanceof Error && 'code' in error && error.code === 'EBUSY';
      const remedy = isBusy ? ': processes run in that cgroup itself and have to be moved into one below it' : '';
      throw new Error(`the cgroup controller ${name} cannot be enabled below ${path}${remedy}`, { cause: error });
    }
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
  // Version 2 has a file that kills all at once, new processes included.
  if (
    await fs.writeFile(`${directory}/cgroup.kill`, '1').then(
      () => true,
      () => false,
    )
  )
    return;
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
