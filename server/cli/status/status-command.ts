import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { systemClock } from '../../../api/base/system-clock.ts';
import { openDataDir } from '../data-dir/data-dir.ts';
import { dataDirOption } from '../flags/options.ts';
import { assessStatus } from './assess-status.ts';
import { formatStatus } from './format-status.ts';
import { gatherStatus } from './gather-status.ts';

const note = `
Exit status: 0 if all is well, 1 if something is wrong; each problem comes with what to do about it.
`;

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('Tell in one screen what runs, where its data are, what is wrong and what to do.')
    .addOption(dataDirOption())
    .addOption(new Option('-o, --output <format>', 'for programs').choices(['json']))
    .addHelpText('after', note)
    .action((flags: { readonly dataDir: string; readonly output?: 'json' }) => showStatus(flags));
}

async function showStatus({ dataDir, output }: { readonly dataDir: string; readonly output?: 'json' }): Promise<void> {
  if (!existsSync(dataDir))
    throw new Error(`${path.resolve(dataDir)} does not exist: no cluster was started here yet ('kubets up'), or it has another --data-dir`);
  const facts = await gatherStatus(openDataDir(dataDir));
  const findings = assessStatus(facts);
  process.stdout.write(
    output === 'json'
      ? `${JSON.stringify({ ...facts, problems: findings }, undefined, 2)}\n`
      : formatStatus(facts, findings, systemClock.nowMs()),
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
}
