import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { clearNode, replaceRunningAgent } from './agent/agent-process.ts';
import { findInstance, openDataDir } from './data-dir/data-dir.ts';
import { findLocalNodes, removeLocalNodes } from './local-nodes/local-nodes.ts';
import { dataDirOption } from './flags/options.ts';
import { createProgress } from './terminal/progress.ts';
import { findRuns } from './data-dir/runs.ts';

export function addResetCommand(program: Command): void {
  program
    .command('reset')
    .description('Remove a cluster: its containers, networks, objects, keys. Images in <data-dir>/images stay.')
    .addOption(dataDirOption())
    .action(({ dataDir }: { dataDir: string }) => reset(dataDir));
}

async function reset(directory: string): Promise<void> {
  const progress = createProgress();
  const running = findInstance(directory) ?? findRuns({ path: path.resolve(directory) })[0];
  if (running) throw new Error(`a kubets is running on ${path.resolve(directory)} (process ${running.pid}); stop it first ('kubets stop')`);
  if (!existsSync(directory)) return progress.done(`${path.resolve(directory)} does not exist: nothing to do`);
  const dataDir = openDataDir(directory);
  if (existsSync(dataDir.node)) {
    await replaceRunningAgent(dataDir);
    await clearNode(dataDir, { keepImages: false });
    progress.done('containers, networks and volumes');
  }
  if (findLocalNodes(dataDir).length > 0) {
    await removeLocalNodes(dataDir, { forget: true });
    progress.done('nodes in namespaces of their own');
  }
  for (const what of [
    dataDir.storage,
    dataDir.pki,
    dataDir.node,
    dataDir.adminKubeconfig,
    path.join(dataDir.path, 'instance.json'),
    path.join(dataDir.path, 'run'),
  ])
    rmSync(what, { recursive: true, force: true });
  progress.done(`objects, keys and certificates of ${dataDir.path}`);
}
