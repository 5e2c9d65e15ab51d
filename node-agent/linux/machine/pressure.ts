import { readdir, readFile } from 'node:fs/promises';
import type { CgroupHierarchies } from '../cgroups/cgroup-hierarchies.ts';

/** Share of the time, in percent over the last 10, 60 and 300 seconds, and the time in microseconds since the start. */
export interface StallTimes {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: number;
}

/** How long some, and how long all, of the tasks waited for something (https://docs.kernel.org/accounting/psi.html). */
export interface PressureStall {
  readonly some: StallTimes;
  readonly full: StallTimes;
}

/** Absent: the kernel does not count it. */
export interface Pressure {
  readonly cpu?: PressureStall;
  readonly memory?: PressureStall;
  readonly io?: PressureStall;
}

/** Pressure of the machine and of cgroups, which only hierarchies of version 2 have. */
export interface PressureReader {
  /** Undefined: the kernel does not count it, or cgroups are of version 1. */
  node(): Promise<Pressure | undefined>;
  /** Undefined also where there is no such cgroup. */
  cgroup(name: string): Promise<Pressure | undefined>;
  /** Pressure of each cgroup right below, by name. */
  children(name: string): Promise<ReadonlyMap<string, Pressure>>;
}

export function createPressureReader({ version, rootOf }: CgroupHierarchies, procDirectory = '/proc'): PressureReader {
  const root = rootOf('memory') ?? '';
  const cgroup: PressureReader['cgroup'] = async (name) =>
    version === 2 ? readPressure((what) => `${root}${name}/${what}.pressure`) : undefined;
  return {
    node: async () => (version === 2 ? readPressure((what) => `${procDirectory}/pressure/${what}`) : undefined),
    cgroup,
    async children(name) {
      const found = new Map<string, Pressure>();
      if (version === 1) return found;
      const entries = await readdir(`${root}${name}`, { withFileTypes: true }).catch(() => []); // gone meanwhile
      const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      const pressures = await Promise.all(names.map((child) => cgroup(`${name}/${child}`)));
      for (const [index, child] of names.entries()) {
        const pressure = pressures[index];
        if (pressure) found.set(child, pressure);
      }
      return found;
    },
  };
}

async function readPressure(fileOf: (what: 'cpu' | 'memory' | 'io') => string): Promise<Pressure | undefined> {
  const read = async (what: 'cpu' | 'memory' | 'io') => {
    // A kernel may have the files and refuse to read them (psi=0).
    const text = await readFile(fileOf(what), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : parsePressure(text);
  };
  const [cpu, memory, io] = await Promise.all([read('cpu'), read('memory'), read('io')]);
  if (!cpu && !memory && !io) return undefined;
  return { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}), ...(io ? { io } : {}) };
}

const none: StallTimes = { avg10: 0, avg60: 0, avg300: 0, total: 0 };

/** A file of pressure; undefined if it is none. Older kernels have no line `full` for processors. */
export function parsePressure(text: string): PressureStall | undefined {
  const lines = new Map<string, StallTimes>();
  for (const match of text.matchAll(/^(some|full) avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)$/gm)) {
    const [, kind = '', avg10, avg60, avg300, total] = match;
    lines.set(kind, { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: Number(total) });
  }
  const some = lines.get('some');
  return some && { some, full: lines.get('full') ?? none };
}
