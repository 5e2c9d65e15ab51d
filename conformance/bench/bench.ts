import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { startLoadGenerator } from './load-generator.ts';
import type { Protocol } from './load/task.ts';
import { type Measurement, metrics, type MetricName, type Remark, type Results } from './measurement.ts';
import { type BenchResourceName, benchResourceNames } from './objects.ts';
import { observe } from './observe.ts';
import { drawPlots } from './plot/draw-plots.ts';
import { formatReport, formatMarkdown } from './report.ts';
import { fillLargeStore } from './scenarios/large-store.ts';
import { operations } from './scenarios/requests.ts';
import type { Scenario, ScenarioContext, ScenarioSettings } from './scenarios/scenario.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { openSession, type Session } from './session.ts';
import { knownCommands, parseRunningTarget, parseStartedTarget, type Target } from './targets.ts';

interface Flags {
  readonly target: readonly Target[];
  readonly base?: string;
  readonly only: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly BenchResourceName[];
  readonly rounds: number;
  readonly connections: readonly number[];
  readonly protocols: readonly Protocol[];
  readonly seconds: number;
  readonly warmup: number;
  readonly pods: number;
  readonly watchers: readonly number[];
  readonly informers: readonly number[];
  readonly definitions: number;
  readonly definitionsFrom?: string;
  readonly results?: string;
  readonly plots?: string;
}

const help = `
What it does:
${scenarios.map(({ name, does }) => `  ${name.padEnd(10)} ${does}`).join('\n')}

Targets that are started are alone on the machine while they are measured; each scenario with an empty store gets a new one.
A command is run by a shell with $DIR (a new directory), $PORT, $PKI (keys and certificates as kubeadm lays them out),
$ETCD (of a new etcd, if the command speaks of it), $NODE and $KUBETS; it must serve the Kubernetes API on 127.0.0.1:$PORT.
Known commands: ${Object.keys(knownCommands).join(', ')} (the API servers alone; kube-apiserver and etcd from the PATH).

Examples:
  npm run bench -- --start kubets --start kubets-etcd
  npm run bench -- --start kube-apiserver --start kubets-etcd --only requests --connections 16 --operations create,get
  npm run bench -- --target old=./old.kubeconfig --target new=./new.kubeconfig,pid=4711
  npm run bench -- --start 'patched=exec "$NODE" "$KUBETS" server --data-dir "$DIR" --port "$PORT"' --start kubets --rounds 3
  npm run bench -- --results all.json --plots ./plots        what all.json holds, without measuring anything
`;

function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((name) => {
      const found = known.find((one) => one === name);
      if (found === undefined) throw new InvalidArgumentError(`it is a list of ${known.join(', ')}.`);
      return found;
    });
}

function parseNumbers(text: string): number[] {
  return text.split(',').map(parsePositive);
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`'${text}' is not a number above 0.`);
  return value;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function collect(parse: (text: string) => Target): (text: string, before: readonly Target[]) => readonly Target[] {
  return (text, before) => {
    try {
      return [...before, parse(text)];
    } catch (error) {
      throw new InvalidArgumentError(messageOf(error));
    }
  };
}

function parseFlags(argv: readonly string[]): Flags {
  let targets: readonly Target[] = [];
  const add = (parse: (text: string) => Target) => (text: string) => (targets = collect(parse)(text, targets));
  const all = scenarios.map(({ name }) => name);
  const command = new Command('bench')
    .description('Does the same work on any number of Kubernetes clusters in turn, and compares them.')
    .addOption(
      new Option('--target <name=KUBECONFIG[,pid=N][,store-pid=N]>', 'a running cluster; may be given again').argParser(
        add(parseRunningTarget),
      ),
    )
    .addOption(
      new Option('--start <name=COMMAND>', 'one to start, or the name of a known command; may be given again').argParser(
        add(parseStartedTarget),
      ),
    )
    .option('--base <name>', 'the target that the others are compared with (default: the first)')
    .addOption(new Option('--only <scenarios>', 'what to do').default(all, 'all').argParser(listOf(all)))
    .addOption(new Option('--operations <names>', 'of the scenario requests').default([...operations], 'all').argParser(listOf(operations)))
    .addOption(
      new Option('--resources <names>', 'of the scenario requests')
        .default(['configmaps', 'pods'], 'configmaps,pods')
        .argParser(listOf(benchResourceNames)),
    )
    .addOption(new Option('--rounds <n>', 'how often to go round the targets; medians are shown').default(1).argParser(parsePositive))
    .addOption(new Option('--connections <list>', 'requests at once').default([1, 16, 64], '1,16,64').argParser(parseNumbers))
    .addOption(
      new Option('--protocols <list>', 'h1: a connection each; h2: streams of one connection')
        .default(['h1', 'h2'], 'h1,h2')
        .argParser(listOf(['h1', 'h2'])),
    )
    .addOption(new Option('--seconds <n>', 'of each measurement').default(2).argParser(parsePositive))
    .addOption(new Option('--warmup <n>', 'seconds before each').default(0.5).argParser(parsePositive))
    .addOption(new Option('--pods <n>', 'in the large store').default(20_000).argParser(parsePositive))
    .addOption(new Option('--watchers <list>', 'watches at once').default([100, 1000], '100,1000').argParser(parseNumbers))
    .addOption(new Option('--informers <list>', 'informers at once').default([100], '100').argParser(parseNumbers))
    .addOption(new Option('--definitions <n>', 'CustomResourceDefinitions to install').default(1000).argParser(parsePositive))
    .option('--definitions-from <directory>', 'install those of the YAML and JSON files below it instead')
    .option('--results <file>', 'JSON to which the numbers are added')
    .option('--plots <directory>', 'where to draw SVG files and to write results.md')
    .addHelpText('after', help);
  command.parse([...argv]);
  return { ...command.opts<Omit<Flags, 'target'>>(), target: targets };
}

interface Recorder {
  readonly measurements: Measurement[];
  readonly remarks: Remark[];
}

function createContext(
  session: Session,
  scenario: Scenario,
  settings: ScenarioSettings,
  round: number,
  into: Recorder,
  generator: ReturnType<typeof startLoadGenerator>,
): ScenarioContext {
  const target = session.target.name;
  return {
    session,
    settings,
    observe: (task) => observe(session, generator, task),
    record({ subject, load = '' }, values) {
      const shown: string[] = [];
      for (const [name, value] of Object.entries(values)) {
        if (value === undefined || value === null || Number.isNaN(value)) continue;
        const metric = metrics[name as MetricName];
        into.measurements.push({ target, round, scenario: scenario.name, subject, load, ...metric, value });
        shown.push(`${metric.metric} ${Number(value.toPrecision(3))} ${metric.unit}`);
      }
      console.error(`  ${target.padEnd(16)} ${subject} ${load}: ${shown.join(', ')}`);
    },
    remark(about, texts) {
      for (const text of texts) {
        into.remarks.push({ target, about, text });
        console.error(`  ${target.padEnd(16)}   ! ${about}: ${text}`);
      }
    },
  };
}

/** The scenarios that share a store: each one with an empty store alone, those with the large store together. */
function groupsOf(flags: Flags): Scenario[][] {
  const wanted = scenarios.filter(({ name }) => flags.only.includes(name));
  const groups = [...wanted.filter(({ store }) => store === 'empty').map((one) => [one]), wanted.filter(({ store }) => store === 'large')];
  return groups.filter((group) => group.length > 0);
}

async function measureGroup(target: Target, group: readonly Scenario[], flags: Flags, round: number, into: Recorder): Promise<void> {
  const settings: ScenarioSettings = { ...flags, warmupSeconds: flags.warmup };
  const session = await openSession(target);
  const generator = startLoadGenerator();
  try {
    for (const [index, scenario] of group.entries()) {
      const context = createContext(session, scenario, settings, round, into, generator);
      if (index === 0 && scenario.store === 'large') await fillLargeStore(context);
      // A failure of one scenario on one target must not end the others.
      await scenario.run(context).catch((error: unknown) => context.remark(scenario.name, [`failed: ${messageOf(error)}`]));
    }
  } finally {
    generator.close();
    await session.close();
  }
}

function readResults(file: string | undefined): Results {
  const empty = { machine: '', targets: [], measurements: [], remarks: [] };
  if (file === undefined) return empty;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
    throw error;
  }
}

async function main(): Promise<void> {
  const flags = parseFlags(process.argv);
  const earlier = readResults(flags.results);
  if (flags.target.length === 0 && earlier.measurements.length === 0)
    throw new Error('nothing to measure: name a --target or a command to --start (--help shows how)');
  const into: Recorder = { measurements: [...earlier.measurements], remarks: [...earlier.remarks] };
  const firstRound = Math.max(0, ...earlier.measurements.map(({ round }) => round + 1));
  const targets = [...new Set([...earlier.targets, ...flags.target.map(({ name }) => name)])];
  const base = flags.base ?? targets[0] ?? '';
  const machine = `${os.cpus().length}× ${os.cpus()[0]?.model ?? 'unknown'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  const results: Results = { machine, targets: [base, ...targets.filter((name) => name !== base)], ...into };
  // The targets take turns as often as possible, so that other work of the machine affects all of them.
  for (let round = 0; round < flags.rounds && flags.target.length > 0; round++)
    for (const group of groupsOf(flags))
      for (const target of flags.target) {
        await measureGroup(target, group, flags, firstRound + round, into);
        if (flags.results !== undefined) writeFileSync(flags.results, `${JSON.stringify(results, undefined, 1)}\n`);
      }
  console.log(formatReport(results));
  if (flags.plots !== undefined) {
    drawPlots(results, flags.plots);
    writeFileSync(path.join(flags.plots, 'results.md'), formatMarkdown(results));
  }
}

main().catch((error: unknown) => {
  console.error(`bench: ${messageOf(error)}`);
  process.exit(1);
});
