import * as fs from 'node:fs/promises';
import { cpuUsage, kill, memoryUsage } from 'node:process';
import { type Clock, sleep } from '../../api/base/clock.ts';

/** False also for a zombie, which has ended but whose parent has not asked yet. */
export async function processIsAlive(pid: number): Promise<boolean> {
  try {
    const status = await fs.readFile(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(status.slice(status.lastIndexOf(')') + 2).charAt(0));
  } catch {
    return false; // there is no such process
  }
}

/** SIGTERM, and SIGKILL to what still lives after `graceMs`. */
export async function terminateProcess(pid: number, graceMs: number, clock: Clock): Promise<void> {
  const end = clock.monotonicMs() + graceMs;
  signalProcess(pid, 'SIGTERM');
  while ((await processIsAlive(pid)) && clock.monotonicMs() < end) await sleep(clock, 20);
  if (!(await processIsAlive(pid))) return;
  signalProcess(pid, 'SIGKILL');
  const killed = clock.monotonicMs() + 5000;
  while ((await processIsAlive(pid)) && clock.monotonicMs() < killed) await sleep(clock, 20);
}

export function signalProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    kill(pid, signal);
  } catch {
    // has ended by itself
  }
}

/** Pids of all processes whose command line (arguments joined by blanks) matches. */
export async function findProcesses(matches: (commandLine: string) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const name of await fs.readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const commandLine = (await fs.readFile(`/proc/${name}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
      if (matches(commandLine)) found.push(Number(name));
    } catch {
      // ended meanwhile
    }
  }
  return found;
}

/** What a process uses itself. */
export interface ProcessFacts {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export function readOwnProcess(): ProcessFacts {
  const { user, system } = cpuUsage();
  return { cpuSeconds: (user + system) / 1_000_000, residentBytes: memoryUsage.rss() };
}
