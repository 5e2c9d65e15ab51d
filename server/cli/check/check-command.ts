import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { openDataDir } from '../data-dir/data-dir.ts';
import { dataDirOption } from '../flags/options.ts';
import { benchmark, runBenchmark } from './benchmark.ts';
import { isSelected } from './check-item.ts';
import { checkDocument, formatCheck } from './format-check.ts';
import { gatherFacts } from './gather-facts.ts';

interface Flags {
  readonly dataDir: string;
  readonly section: readonly string[];
  readonly nodeOnly: boolean;
  readonly serverOnly: boolean;
  readonly output: 'table' | 'json';
}

const note = `
Results: PASS, FAIL, WARN (it depends on the use of the cluster, or could not be judged), MANUAL (a person must
decide), N/A (kubets has no such part). Exit status: 0 if nothing fails, 1 if something does. Nothing is changed.

Examples:
  kubets check                          all sections, where the control plane is
  kubets check --section 1.2,5.1        the API server's flags, and RBAC
  kubets check --node-only              a machine that is a node of a cluster elsewhere
  kubets check -o json
`;

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('Check a cluster against the CIS Kubernetes Benchmark v1.12: each control with its result, and what to do.')
    .addOption(dataDirOption())
    .addOption(
      new Option('--section <numbers>', 'sections or controls, separated by commas, e.g. 1.2,4,5.1.3')
        .default([], 'all')
        .argParser(parseSections),
    )
    .addOption(new Option('--node-only', 'the part of the benchmark that is about nodes: section 4').default(false))
    .addOption(new Option('--server-only', 'the part about the control plane: all other sections').default(false).conflicts('nodeOnly'))
    .addOption(new Option('-o, --output <format>', 'how it is told').choices(['table', 'json']).default('table'))
    .addHelpText('after', note)
    .action((flags: Flags) => check(flags));
}

function parseSections(text: string, before: readonly string[]): string[] {
  const sections = text.split(',').map((one) => one.trim());
  for (const section of sections)
    if (!benchmark.some((item) => isSelected(item, { sections: [section] })))
      throw new InvalidArgumentError(`there is no section ${section}.`);
  return [...before, ...sections];
}

async function check({ dataDir, section, nodeOnly, serverOnly, output }: Flags): Promise<void> {
  if (!existsSync(dataDir))
    throw new Error(`${path.resolve(dataDir)} does not exist: no cluster was started here yet ('kubets up'), or it has another --data-dir`);
  const facts = await gatherFacts(openDataDir(dataDir));
  const items = runBenchmark(facts, { sections: section, ...(nodeOnly ? { only: 'node' } : serverOnly ? { only: 'server' } : {}) });
  process.stdout.write(
    output === 'json'
      ? `${JSON.stringify(checkDocument(items, facts.problems, facts.dataDirectory), undefined, 2)}\n`
      : formatCheck(items, facts.problems, process.stdout),
  );
  process.exitCode = items.some(({ result }) => result === 'FAIL') ? 1 : 0;
}
