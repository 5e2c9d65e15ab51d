import { spawn } from 'node:child_process';
import type { StopOrder } from '../../../node-agent/stop-order.ts';
import { type Command, Option } from 'commander';
import type { DataDir } from '../data-dir/data-dir.ts';
import { parseDuration } from '../flags/parse-flags.ts';
import { createProgress } from '../terminal/progress.ts';
import { beginRun, type RunningCommand } from '../data-dir/runs.ts';
import { createServiceNotifier, type ServiceNotifier } from './service-notifier.ts';
import { takeStopRequest } from '../data-dir/stop-request.ts';
import { planStop, type StopFlags, untilSignalled } from './stop-signals.ts';

/** A command that runs a cluster or a part of one, from its start until it is told to stop. */
export interface CommandLife extends ServiceNotifier {
  /** Resolves with the first signal to stop, and how to stop. */
  readonly stop: Promise<StopOrder>;
  /** How the command stops after a failure. */
  readonly usualStop: StopOrder;
}

/** Throws where another process runs the same on this data dir. */
export function beginLife(command: RunningCommand, dataDir: DataDir, flags: StopFlags): CommandLife {
  const problem = beginRun(dataDir, command, new Date());
  if (problem !== undefined) createProgress().fail(`'kubets stop' and 'kubets status' will not find this process: ${problem}`);
  const signalled = untilSignalled(
    process,
    () => performance.now(),
    () => process.exit(130),
  );
  const stop = signalled.then(async () => {
    const request = takeStopRequest(dataDir, process.pid);
    const isMachineStopping = request === undefined && flags.leavePodsRunning && (await machineIsStopping());
    return planStop({ flags, request, isMachineStopping });
  });
  const usualStop = planStop({ flags, request: undefined, isMachineStopping: false });
  return { ...createServiceNotifier(process.env, process.pid), stop, usualStop };
}

export function addStopOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--leave-pods-running', 'when told to stop, leave pods running for the next start, as a service does').default(false),
    )
    .addOption(
      new Option('--stop-grace-period <duration>', 'else: how long all pods together may take to end before they are killed')
        .default(5000, '5s')
        .argParser(parseDuration),
    );
}

/** Whether systemd has begun to stop everything. */
function machineIsStopping(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('systemctl', ['is-system-running'], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 5000 });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', () => resolve(false)); // no systemd
    child.once('close', () => resolve(said.trim() === 'stopping'));
  });
}
