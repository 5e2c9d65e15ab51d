import { rmSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { delayFile } from '../../../node-agent/linux/machine/login-manager.ts';
import { openDataDir } from '../data-dir/data-dir.ts';
import { parseDuration } from '../flags/parse-flags.ts';
import { createProgress } from '../terminal/progress.ts';
import { stopCluster } from '../stop-command.ts';
import { unitNames } from './plan-service.ts';
import { findUnitText, hasSystemd, installedServices, removeUnit, run, systemctl } from './service-manager.ts';
import { findDataDirectory } from './unit-file.ts';

const note = `
Objects, keys and images stay in the data dir: 'kubets up' or 'kubets install' brings the cluster back, 'kubets reset' removes them.
`;

export function addUninstallCommand(program: Command): void {
  program
    .command('uninstall')
    .description('Stop the services that kubets install has made, with their pods, and remove them. Needs root.')
    .addOption(
      new Option('--grace-period <duration>', 'how long all pods together may take to end').default(30_000, '30s').argParser(parseDuration),
    )
    .addHelpText('after', note)
    .action((flags: { readonly gracePeriod: number }) => uninstall(flags));
}

async function uninstall({ gracePeriod }: { readonly gracePeriod: number }): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('removing a service needs root');
  const progress = createProgress();
  const installed = installedServices();
  if (installed.length === 0) return progress.done('no service of kubets is installed: nothing to do');
  for (const kind of installed) if (hasSystemd()) await systemctl('--quiet', 'disable', `${unitNames[kind]}.service`);
  const directories = new Set(installed.flatMap((kind) => findDataDirectory(findUnitText(kind) ?? '') ?? []));
  for (const directory of directories) await stopCluster(openDataDir(directory), { pods: true, gracePeriod }, progress);
  for (const kind of installed) {
    if (hasSystemd()) await systemctl('stop', `${unitNames[kind]}.service`);
    removeUnit(kind);
    progress.done(`${unitNames[kind]}.service is removed`);
  }
  rmSync(delayFile, { force: true });
  if (!hasSystemd()) return;
  await systemctl('daemon-reload');
  await run('systemctl', ['kill', '--signal=HUP', 'systemd-logind.service']);
  await run('systemctl', ['reset-failed', ...installed.map((kind) => `${unitNames[kind]}.service`)]);
}
