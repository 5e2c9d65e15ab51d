import type { Command } from 'commander';
import { startFromFlags, untilAskedToStop } from './control-plane.ts';
import { openDataDir } from './data-dir.ts';
import { addControlPlaneOptions, type ControlPlaneFlags } from './options.ts';
import { createProgress } from './progress.ts';

export function addServerCommand(program: Command): void {
  addControlPlaneOptions(program.command('server'))
    .description('Run the control plane alone: API server, controllers, scheduler. Needs no root.')
    .action((flags: ControlPlaneFlags) => runServer(flags));
}

/** The control plane in the foreground, until it is asked to stop. */
export async function runServer(flags: ControlPlaneFlags): Promise<void> {
  const progress = createProgress();
  const dataDir = openDataDir(flags.dataDir);
  const stop = untilAskedToStop();
  const controlPlane = await startFromFlags(flags, dataDir, progress);
  progress.done('ready');
  progress.note('');
  progress.note(`export KUBECONFIG=${flags.kubeconfig ?? dataDir.adminKubeconfig}`);
  progress.note('kubectl get namespaces');
  try {
    await Promise.race([stop, controlPlane.failed]);
  } finally {
    await controlPlane.stop();
  }
  progress.done('stopped');
  process.exit(0);
}
