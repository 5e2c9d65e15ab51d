import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createBackoff } from '../../../api/base/backoff.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { formatStopOrder, type StopOrder } from '../../../node-agent/stop-order.ts';
import { writesToJournal } from '../../control-plane/logger.ts';
import { agentLogFile, agentPIDFile, clearNode, signalAgent } from './agent-process.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import { isRunning } from '../data-dir/process-identity.ts';
import { createHeartbeatMonitor } from './heartbeat-monitor.ts';
import { withoutServiceVariables } from './service-variables.ts';

/** A node agent that is started again whenever it dies or hangs, until it is stopped. */
export interface SupervisedAgent {
  /** Resolves when the agent has ended, and with `pods` the node is cleared away; in bounded time, whatever hangs. */
  stop(order: StopOrder): Promise<void>;
}

export interface Supervision {
  /** Arguments in front of the agent's that make it run elsewhere than in this process' namespaces. */
  readonly enter?: readonly string[];
  readonly onRestart: (why: number | string) => void;
  /** Whether there is any sense in starting it again. Default: always. */
  readonly isWorthRestarting?: () => Promise<boolean>;
  /** Clears the node away where the agent did not come to it. Default: in this process' namespaces. */
  readonly clear?: () => Promise<void>;
  readonly onProblem?: (text: string) => void;
  /** Default: after a minute without a heartbeat, five at the start. */
  readonly limits?: HeartbeatTiming;
}

interface HeartbeatTiming {
  readonly tickMs: number;
  readonly silentTicks: number;
  readonly startTicks: number;
}

const heartbeatTiming: HeartbeatTiming = { tickMs: 5000, silentTicks: 12, startTicks: 60 };
const restarts = { initialMs: 500, maxMs: 10_000 };
/** An agent that has run for so long has overcome the cause of the last end. */
const soundAfterMs = 10_000;
/** Time that an agent needs to end beyond the time of its Pods. With Pods it clears the node away, which slow disks take long for. */
const stopPatienceMs = { alone: 30_000, withPods: 120_000 };
const maxLogBytes = 16 * 1024 * 1024;
/** The agent makes little garbage, and memory that is reserved for it, or kept after a burst of work, is missing for Pods. */
const engineFlags = [
  '--max-semi-space-size=2',
  // Otherwise V8 lets garbage grow to twice the live heap in a burst.
  '--heap-growing-percent=30',
  '--import',
  path.join(import.meta.dirname, 'agent-memory.ts'),
];
/** Keeps the allocator from retaining freed memory for each thread: with some ten threads that is a third of the agent's memory. */
const allocatorSettings = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' };

export function superviseAgent(dataDir: DataDir, args: readonly string[], supervision: Supervision): SupervisedAgent {
  const { enter = [], onRestart, isWorthRestarting = async () => true, onProblem = () => {}, limits = heartbeatTiming } = supervision;
  const clear = supervision.clear ?? (() => clearNode(dataDir, { keepImages: true }));
  const command = [...enter, process.execPath, ...engineFlags, ...args, '--supervised'];
  const backoff = createBackoff(restarts, systemRandom);
  let isStopping = false;
  let startedMs = 0;
  let current: RunningAgent;
  const start = () => {
    startedMs = systemClock.monotonicMs();
    current = startAgent(dataDir, command, limits, onProblem);
    void current.ended.then((why) => (isStopping ? undefined : restart(why)));
  };
  const restart = async (why: number | string) => {
    if (!(await isWorthRestarting())) return;
    onRestart(why);
    const wasKilled = typeof why === 'string';
    if (wasKilled || systemClock.monotonicMs() - startedMs > soundAfterMs) backoff.reset();
    await delay(backoff.nextMs());
    if (!isStopping) start();
  };
  start();
  return {
    async stop(order) {
      isStopping = true;
      const patienceMs = order.graceSeconds * 1000 + (order.pods ? stopPatienceMs.withPods : stopPatienceMs.alone);
      current.tell(order);
      const why = await within(current.ended, patienceMs);
      if (why === undefined) {
        onProblem('the node agent does not end: killing it');
        current.kill();
      }
      // An agent that had only just been started, or had died, did not get to clearing the node away.
      if (
        order.pods &&
        why !== 0 &&
        (await within(
          clear().then(() => true),
          stopPatienceMs.withPods,
        )) === undefined
      )
        onProblem(`the node cannot be cleared away now; 'kubets reset' on ${dataDir.path} does it later`);
      rmSync(agentPIDFile(dataDir), { force: true });
    },
  };
}

interface RunningAgent {
  /** Resolves with its exit code, or with what else ended it. */
  readonly ended: Promise<number | string>;
  tell(order: StopOrder): void;
  kill(): void;
}

function startAgent(
  dataDir: DataDir,
  command: readonly string[],
  limits: HeartbeatTiming,
  onProblem: (text: string) => void,
): RunningAgent {
  const [program = '', ...args] = command;
  const log = openLog(dataDir, onProblem);
  // The agent has a session of its own, so that Ctrl-C in the terminal does not reach it: it is stopped in order, after the Pods.
  const child = spawn(program, args, {
    detached: true,
    // Orders go in, heartbeats come out.
    stdio: ['pipe', 'pipe', log],
    env: {
      ...allocatorSettings,
      ...withoutServiceVariables(process.env),
      NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../../node_modules/.cache/compile'),
    },
  });
  if (typeof log === 'number' && log > 2) closeSync(log);
  if (child.pid !== undefined) attempt(() => writeFileSync(agentPIDFile(dataDir), String(child.pid)), onProblem);
  child.stdin?.on('error', () => {}); // the agent has ended
  const kill = () => killAgent(child);
  const watch = watchHeartbeats(child.stdout, limits, kill);
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(watch.isHung() ? 'it did not answer any more' : (signal ?? code ?? 0)));
  });
  void ended.then(watch.stop);
  return {
    ended,
    kill,
    tell(order) {
      if (child.stdin?.writable) child.stdin.write(`${formatStopOrder(order)}\n`);
      else if (child.pid !== undefined && isRunning(child.pid)) signalAgent(child.pid, 'SIGTERM');
    },
  };
}

/** Ends the agent when its heartbeats stay away: its event loop hangs, and it would not heed any other signal. */
function watchHeartbeats(heartbeats: Readable | null, limits: HeartbeatTiming, kill: () => void) {
  const monitor = createHeartbeatMonitor(limits);
  let isHung = false;
  heartbeats?.on('data', () => monitor.heard());
  const timer = setInterval(() => {
    if (!monitor.tick()) return;
    isHung = true;
    kill();
  }, limits.tickMs);
  timer.unref();
  return { isHung: () => isHung, stop: () => clearInterval(timer) };
}

function killAgent({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined && isRunning(pid)) signalAgent(pid, 'SIGKILL');
  } catch {
    // has ended meanwhile
  }
}

/** The journal, if this process writes to it, or a file. If neither can be opened, the agent runs without a log. */
function openLog(dataDir: DataDir, onProblem: (text: string) => void): number | 'ignore' {
  if (writesToJournal()) return 2;
  const file = agentLogFile(dataDir);
  try {
    if (existsSync(file) && statSync(file).size > maxLogBytes) renameSync(file, `${file}.1`);
    return openSync(file, 'a');
  } catch (error) {
    onProblem(`the agent has no log: ${(error as Error).message}`);
    return 'ignore';
  }
}

function attempt(action: () => void, onProblem: (text: string) => void): void {
  try {
    action();
  } catch (error) {
    onProblem((error as Error).message);
  }
}

/** Undefined when the time has passed, or it failed. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const abort = new AbortController();
  const passed = delay(ms, undefined, { signal: abort.signal }).catch(() => undefined); // decided earlier
  try {
    return await Promise.race([promise, passed]);
  } catch {
    return undefined;
  } finally {
    abort.abort();
  }
}
