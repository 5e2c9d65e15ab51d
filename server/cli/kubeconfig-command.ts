import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { getInstance } from './data-dir/data-dir.ts';
import { dataDirOption } from './flags/options.ts';

export function addKubeconfigCommand(program: Command): void {
  program
    .command('kubeconfig')
    .description('Print the kubeconfig of the running cluster (administrator).')
    .addOption(dataDirOption())
    .option('--path', 'print where the file is instead')
    .addHelpText('after', '\nExample:\n  export KUBECONFIG=$(kubets kubeconfig --path)\n')
    .action(({ dataDir, path }: { dataDir: string; path?: boolean }) => {
      const { kubeconfig } = getInstance(dataDir);
      process.stdout.write(path ? `${kubeconfig}\n` : readFileSync(kubeconfig, 'utf8'));
    });
}
