import { readFile } from 'node:fs/promises';
import { pid } from 'node:process';
import type { MemoryAmounts } from './node-usage.ts';

/** Usage of some processes together. */
export interface ProcessUsage {
  readonly cpuNanoSeconds: number;
  readonly memory: MemoryAmounts;
  /** Start of the first of them, milliseconds since the Unix epoch. */
  readonly startedMs: number;
}

/** Length of a tick of USER_HZ, which is 100 wherever Linux runs. */
const tickNanoSeconds = 10_000_000;

/** Undefined if none of them lives. Memory that they share is counted once for each, but for rssBytes, which is their own. */
export async function readProcessUsage(pids: readonly number[]): Promise<ProcessUsage | undefined> {
  const [bootSeconds, ...found] = await Promise.all([readBootSeconds(), ...pids.map(readProcess)]);
  const all = found.filter((one) => one !== undefined);
  const [first] = all;
  if (!first) return undefined;
  const sum = (of: (one: ProcessNumbers) => number) => all.reduce((total, one) => total + of(one), 0);
  const residentBytes = sum((one) => one.residentBytes);
  return {
    cpuNanoSeconds: sum(({ cpuTicks }) => cpuTicks) * tickNanoSeconds,
    startedMs: bootSeconds * 1000 + (first.startTicks * tickNanoSeconds) / 1e6,
    memory: {
      usageBytes: residentBytes,
      workingSetBytes: residentBytes,
      rssBytes: sum(({ ownBytes }) => ownBytes),
      pageFaults: sum(({ pageFaults }) => pageFaults),
      majorPageFaults: sum(({ majorPageFaults }) => majorPageFaults),
    },
  };
}

/** Usage of this process. */
export const readOwnUsage = (): Promise<ProcessUsage | undefined> => readProcessUsage([pid]);

interface ProcessNumbers {
  readonly cpuTicks: number;
  readonly startTicks: number;
  readonly residentBytes: number;
  readonly ownBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

async function readProcess(id: number): Promise<ProcessNumbers | undefined> {
  try {
    const [stat, status] = await Promise.all([readFile(`/proc/${id}/stat`, 'utf8'), readFile(`/proc/${id}/status`, 'utf8')]);
    return parseProcess(stat, status);
  } catch {
    return undefined; // ended
  }
}

/** /proc/<pid>/stat, whose second field may hold anything, and /proc/<pid>/status. */
export function parseProcess(stat: string, status: string): ProcessNumbers {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Numbered as in proc(5): the first of these is the third.
  const at = (number: number) => Number(fields[number - 3] ?? 0);
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  const pageFaults = at(10) + at(12);
  return {
    ...{ cpuTicks: at(14) + at(15), startTicks: at(22), pageFaults, majorPageFaults: at(12) },
    ...{ residentBytes: bytes('VmRSS'), ownBytes: bytes('RssAnon') },
  };
}

async function readBootSeconds(): Promise<number> {
  return Number(/^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1] ?? 0);
}
