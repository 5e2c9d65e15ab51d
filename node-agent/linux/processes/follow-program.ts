import { type ChildProcess, spawn } from 'node:child_process';
import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';

/** A program that prints changes in the kernel, one per line, without an end. */
export interface FollowedProgram {
  readonly command: string;
  readonly args: readonly string[];
  onLine(line: string): void;
  /** Called when changes may have been missed: the program was only now started, or lost some of it. */
  onGap(): void;
}

interface FollowDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const restartBackoff = { initialMs: 1000, maxMs: 60_000, jitter: 0.2 };
/** A program that has run for so long is started again at once. */
const soundAfterMs = 60_000;
/** Between its start and the moment from which on it sees everything. */
const startMs = 500;
/** The rest of a longer line is left out. */
const maxLineLength = 1000;

/** Runs the program, again whenever it ends, until the signal is aborted. It does not outlive the agent. */
export async function followProgram(program: FollowedProgram, dependencies: FollowDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger } = dependencies;
  const backoff = createBackoff(restartBackoff, dependencies.random);
  let said = '';
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    const reason = await runOnce(program, clock, signal);
    if (signal.aborted) return;
    if (clock.monotonicMs() - startedMs > soundAfterMs) backoff.reset();
    if (reason !== said) logger.warn('a program that tells of changes ended, and is started again', { program: program.command, reason });
    said = reason;
    await sleep(clock, backoff.nextMs(), signal).catch(() => undefined); // aborted
  }
}

/** Resolves with the reason when the program has ended. */
async function runOnce(program: FollowedProgram, clock: Clock, signal: AbortSignal): Promise<string> {
  // Ends with the agent, also where that is killed.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program.command, ...program.args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  const started = clock.setTimer(startMs, () => program.onGap(), { background: true });
  try {
    return await ended(child, program);
  } finally {
    started.cancel();
    signal.removeEventListener('abort', end);
  }
}

function ended(child: ChildProcess, program: FollowedProgram): Promise<string> {
  let complaint = '';
  child.stdout?.on('data', createLineSplitter(maxLineLength, program.onLine));
  child.stderr?.on(
    'data',
    createLineSplitter(maxLineLength, (line) => {
      complaint = line;
      program.onGap(); // it complains of events that the kernel could not hold for it
    }),
  );
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killedBy) => resolve(complaint || (killedBy ?? `exit status ${code}`)));
  });
}

/** Takes chunks of text; calls for each line, of which no more is kept than `maxLength` characters. */
export function createLineSplitter(maxLength: number, onLine: (line: string) => void): (chunk: Buffer | string) => void {
  let rest = '';
  return (chunk) => {
    const lines = chunk.toString().split('\n');
    for (const [index, part] of lines.entries()) {
      rest = (rest + part.slice(0, maxLength)).slice(0, maxLength);
      if (index === lines.length - 1) break;
      onLine(rest);
      rest = '';
    }
  };
}
