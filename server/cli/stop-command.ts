import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { clearNode, replaceRunningAgent } from './agent/agent-process.ts';
import { type DataDir, openDataDir } from './data-dir/data-dir.ts';
import { findLocalNodes, removeLocalNodes } from './local-nodes/local-nodes.ts';
import { dataDirOption } from './flags/options.ts';
import { parseDuration } from './flags/parse-flags.ts';
import { createProgress, type Progress } from './terminal/progress.ts';
import { findRuns, type Run } from './data-dir/runs.ts';
import { isSameProcess } from './data-dir/process-identity.ts';
import { unitNames } from './service/plan-service.ts';
import { findServiceOf, systemctl } from './service/service-manager.ts';
import { writeStopRequest } from './data-dir/stop-request.ts';

interface StopOptions {
  readonly pods: boolean;
  /** Milliseconds; for Pods. */
  readonly gracePeriod: number;
}

const note = `
Without --pods containers go on, and the next start adopts them: nothing restarts, but nobody looks after them meanwhile.
With --pods they end in order of their priority: preStop hooks and SIGTERM, SIGKILL when the time has passed. The next start
starts them again.
A service comes back at the next boot, or with 'systemctl start kubets'.
`;

export function addStopCommand(program: Command): void {
  program
    .command('stop')
    .description('Stop the cluster of this data dir, whether it is a service or runs in a terminal.')
    .addOption(dataDirOption())
    .option('--pods', 'stop the pods as well', false)
    .addOption(
      new Option('--grace-period <duration>', 'with --pods: how long all pods together may take to end')
        .default(30_000, '30s')
        .argParser(parseDuration),
    )
    .addHelpText('after', note)
    .action(({ dataDir, ...options }: StopOptions & { readonly dataDir: string }) => {
      if (!existsSync(dataDir)) throw new Error(`${path.resolve(dataDir)} does not exist: name the cluster's with --data-dir`);
      return stopCluster(openDataDir(dataDir), options, createProgress());
    });
}

/** Beyond the time of Pods: killing them, clearing the node away. */
const patienceMs = 180_000;

export async function stopCluster(dataDir: DataDir, options: StopOptions, progress: Progress): Promise<void> {
  const runs = findRuns(dataDir).sort((a, b) => Number(b.command === 'agent') - Number(a.command === 'agent'));
  for (const run of runs) await stopRun(run, dataDir, options, progress);
  if (options.pods) await stopLeftPods(dataDir, options, progress);
  if (runs.length === 0) progress.done(`nothing runs on ${dataDir.path}`);
}

async function stopRun(run: Run, dataDir: DataDir, { pods, gracePeriod }: StopOptions, progress: Progress): Promise<void> {
  const left = pods || run.command === 'server' ? '' : '; its pods go on';
  const kind = await findServiceOf(run.pid);
  writeStopRequest(dataDir, { pid: run.pid, pods, graceSeconds: gracePeriod / 1000 });
  if (pods && run.command !== 'server') progress.note(`pods have ${gracePeriod / 1000} s to end ...`);
  if (kind !== undefined) {
    await systemctl('stop', `${unitNames[kind]}.service`);
    progress.done(`${unitNames[kind]}.service is stopped${left}`);
    return;
  }
  process.kill(run.pid, 'SIGTERM');
  const deadlineMs = performance.now() + gracePeriod + patienceMs;
  while (isSameProcess(run)) {
    if (performance.now() > deadlineMs) throw new Error(`kubets ${run.command} (process ${run.pid}) does not end; see what it says`);
    await delay(50);
  }
  progress.done(`kubets ${run.command} (process ${run.pid}) is stopped${left}`);
}

/** Stops the Pods that an earlier stop has left running. Their hooks and priorities are no longer known. */
async function stopLeftPods(dataDir: DataDir, { gracePeriod }: StopOptions, progress: Progress): Promise<void> {
  if (process.getuid?.() !== 0 || findRuns(dataDir).length > 0) return;
  if (existsSync(path.join(dataDir.node, 'containerd/containerd.pid'))) {
    await replaceRunningAgent(dataDir);
    await clearNode(dataDir, { keepImages: true, graceSeconds: gracePeriod / 1000 });
    progress.done('pods that had been left running');
  }
  if (findLocalNodes(dataDir).length > 0) await removeLocalNodes(dataDir, { forget: false });
}
