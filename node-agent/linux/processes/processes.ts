import * as fs from 'node:fs/promises';
import { cpuUsage, kill, memoryUsage } from 'node:process';
import { type Clock, sleep } from '../../../api/base/clock.ts';

/** False also for a zombie, which has ended but whose parent has not asked yet. */
export async function processIsAlive(pid: number): Promise<boolean> {
  try {
    const status = await fs.readFile(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(status.slice(status.lastIndexOf(')') + 2).charAt(0));
  } catch {
    return false; // there is no such process
  }
}

/** Sends SIGTERM, and SIGKILL if the process still runs after `graceMs`. */
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

/** The words of a process' command line, the program first; empty if the process has ended. */
export async function readCommandLine(pid: number | string): Promise<string[]> {
  const text = await fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // ended
  return text === '' ? [] : text.replace(/\0+$/, '').split('\0');
}

/** Pids of all processes whose command line, word by word, matches. */
export async function findProcesses(matches: (words: readonly string[]) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const name of await fs.readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = await readCommandLine(name);
    if (words.length > 0 && matches(words)) found.push(Number(name));
  }
  return found;
}

/** Direct children, whichever thread has made them; as seen from here also where they are in another PID namespace. */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = await fs.readdir(`/proc/${pid}/task`).catch(() => []); // ended
  const texts = await Promise.all(threads.map((thread) => fs.readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''))); // likewise
  return texts.flatMap((text) => text.split(' ').filter(Boolean).map(Number));
}

/** Usage of one process. */
export interface ProcessFacts {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export function readOwnProcess(): ProcessFacts {
  const { user, system } = cpuUsage();
  return { cpuSeconds: (user + system) / 1_000_000, residentBytes: memoryUsage.rss() };
}
