import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { createLogger } from '../control-plane/logger.ts';
import { type DataDir, getInstance, openDataDir } from './data-dir/data-dir.ts';
import { findLocalNodes } from './local-nodes/local-nodes.ts';
import { dataDirOption } from './flags/options.ts';

export function addImagesCommand(program: Command): void {
  const images = program.command('images').description('Container images of the local nodes.');
  images
    .command('load')
    .description('Load docker or OCI archives (docker save, skopeo copy ... docker-archive:) into every local node.')
    .argument('<archive...>', 'tar files')
    .addOption(dataDirOption())
    .action(async (archives: string[], { dataDir }: { dataDir: string }) => {
      getInstance(dataDir);
      const missing = archives.filter((file) => !existsSync(file));
      if (missing.length > 0) throw new Error(`there is no file ${missing.join(', ')}`);
      // Loaded only here: the other commands live long and have no use for the clients of a container runtime.
      const { loadImages } = await import('../../node-agent/agent.ts');
      const files = archives.map((file) => path.resolve(file));
      const names = new Set<string>();
      for (const directory of nodeDirectories(openDataDir(dataDir))) {
        for (const name of await loadImages(directory, files, { logger: createLogger('warn') })) names.add(name);
      }
      for (const name of names) process.stdout.write(`${name}\n`);
    });
}

/** The data dirs of the nodes: this one, or those that `up --nodes N` made in it. */
function nodeDirectories(dataDir: DataDir): string[] {
  const several = findLocalNodes(dataDir).map((node) => node.dataDir.path);
  return several.length > 0 ? several : [dataDir.path];
}
