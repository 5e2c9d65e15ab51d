import type { Command } from 'commander';
import { startFromFlags } from './startup/start-from-flags.ts';
import { openDataDir } from './data-dir/data-dir.ts';
import { addControlPlaneOptions, type ControlPlaneFlags } from './flags/options.ts';
import { createProgress } from './terminal/progress.ts';
import { beginLife } from './running/running-command.ts';

export function addServerCommand(program: Command): void {
  addControlPlaneOptions(program.command('server'))
    .description('Run the control plane alone: API server, controllers, scheduler. Needs no root.')
    .action((flags: ControlPlaneFlags) => runServer(flags));
}

/** The control plane in the foreground, until it is asked to stop. */
async function runServer(flags: ControlPlaneFlags): Promise<void> {
  const progress = createProgress();
  const dataDir = openDataDir(flags.dataDir);
  const life = beginLife('server', dataDir, { leavePodsRunning: true, stopGracePeriod: 0 });
  const controlPlane = await startFromFlags(flags, dataDir, progress);
  life.ready(`API server on port ${controlPlane.port}`);
  progress.done('ready');
  progress.note('');
  progress.note(`export KUBECONFIG=${flags.kubeconfig ?? dataDir.adminKubeconfig}`);
  progress.note('kubectl get namespaces');
  try {
    await Promise.race([life.stop, controlPlane.failed]);
  } finally {
    life.stopping('stopping');
    progress.begin('stopping ...');
    await controlPlane.stop();
  }
  progress.done('stopped');
  process.exit(0);
}
