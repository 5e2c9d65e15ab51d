import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { createLogger } from '../composition/logger.ts';
import { getInstance } from './data-dir.ts';
import { dataDirOption } from './options.ts';

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
      const names = await loadImages(
        path.resolve(dataDir),
        archives.map((file) => path.resolve(file)),
        { logger: createLogger('warn') },
      );
      for (const name of names) process.stdout.write(`${name}\n`);
    });
}
