import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { canRunNode, nodeProgram, startCluster } from '../clients/support/cluster.ts';
import { canCompileGoChecks, compileGoChecks } from '../clients/support/go-checks.ts';
import { ensureClients } from '../clients/support/ensure-clients.ts';
import { e2eSuites } from '../clients/support/e2e-suites.ts';
import type { TestCounts } from './counting-reporter.ts';

const root = path.resolve(import.meta.dirname, '../..');
const mocha = path.join(root, 'node_modules/.bin/mocha');
const reporter = path.join(import.meta.dirname, 'counting-reporter.ts');
const usage = `Runs every test of the project, one part after the other, and goes on after a failure.
  npm test -- [--only unit|e2e|conformance|machine] [--grep REGEX] [--machine]
--machine, or KUBETS_MACHINE_TEST=1, also runs \`npm run machine-test\`, which takes from half an hour to two hours.`;

interface PartResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  /** How many tests were not run, which are named in the output. */
  readonly skipped?: number;
  /** Why (some of) it was not run. */
  readonly note?: string;
  /** The tests that failed, each with its error; printed again at the end, where a long log is read first. */
  readonly failures?: readonly string[];
}

/** Writes the output of a part. */
type Write = (text: string) => void;

type Part = (write: Write) => Promise<PartResult>;

const toTerminal: Write = (text) => void process.stdout.write(text);

/** Runs the suites of `npm test` once everything is installed; its last line is always "N passed, N failed". */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, grep: { type: 'string' }, machine: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const { only, grep } = values;
  if (values.help || (only !== undefined && !['unit', 'e2e', 'conformance', 'machine'].includes(only))) {
    console.error(usage);
    return values.help ? 0 : 2;
  }
  const results: PartResult[] = [];
  if (only === undefined && grep === undefined) results.push(...(await inTurn(['types', 'lint', 'format:check'].map(checkPart))));
  if (only === undefined || only === 'unit') results.push(await unitParts(grep)(toTerminal));
  if (only === undefined || only === 'e2e') results.push(...(await endToEnd(grep)));
  if (only === undefined || only === 'conformance') results.push(await conformancePart(grep)(toTerminal));
  const isWithMachines = values.machine === true || process.env['KUBETS_MACHINE_TEST'] === '1';
  if (only === 'machine' || (only === undefined && isWithMachines)) results.push(await machinePart(grep)(toTerminal));
  return summarize(results);
}

async function inTurn(parts: readonly Part[], write: Write = toTerminal): Promise<PartResult[]> {
  const results: PartResult[] = [];
  for (const part of parts) results.push(await part(write));
  return results;
}

/**
 * Runs the end-to-end suites in two rows side by side: a machine can have one cluster with nodes at a time, whose suites mostly wait, while
 * those of a control plane alone need the processor. The output of the second row is printed one whole suite at a time.
 */
async function endToEnd(grep: string | undefined): Promise<PartResult[]> {
  ensureClients();
  const partsOf = (needsNode: boolean) => e2eSuites.filter((suite) => suite.needsNode === needsNode).map((suite) => e2ePart(suite, grep));
  const withNodes = inTurn(partsOf(true));
  const controlPlaneAlone = partsOf(false).map(wholeOutput);
  const [ofNodes, ofControlPlane] = await Promise.all([withNodes, inTurn(controlPlaneAlone).then(warmGoCache)]);
  return [...ofControlPlane, ...ofNodes];
}

/** Compiles the checks of client-go before their suite begins. An error is reported by that suite. */
async function warmGoCache(results: PartResult[]): Promise<PartResult[]> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-go-checks-'));
  try {
    if (canCompileGoChecks() && canRunNode()) await compileGoChecks(directory).catch(() => undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
  return results;
}

/** A part whose output is written when it has ended. */
const wholeOutput =
  (part: Part): Part =>
  async (write) => {
    let text = '';
    const result = await part((chunk) => void (text += chunk));
    write(text);
    return result;
  };

const maxFailuresTold = 10;
const maxLinesTold = 25;

/** The first lines of a text. */
function shorten(text: string): string {
  const lines = text.split('\n');
  return lines.length <= maxLinesTold ? text : `${lines.slice(0, maxLinesTold).join('\n')}\n      ... (whole above)`;
}

function summarize(results: readonly PartResult[]): number {
  console.log('\nSummary');
  for (const { name, passed, failed, skipped = 0, seconds, note = skipped > 0 ? `${skipped} not run (named above)` : '' } of results)
    console.log(
      `  ${failed === 0 ? '✓' : '✗'} ${name}: ${passed} passed, ${failed} failed${note ? `, ${note}` : ''} (${seconds.toFixed(0)} s)`,
    );
  for (const { name, failures = [] } of results)
    for (const failure of failures.slice(0, maxFailuresTold)) console.log(`\nFailed in ${name}: ${shorten(failure)}`);
  const sum = (what: 'passed' | 'failed') => results.reduce((total, result) => total + result[what], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 ? 0 : 1;
}

/** Runs one of the npm scripts that check the sources; counts as one test. */
const checkPart =
  (script: string): Part =>
  (write) =>
    timed(script, write, async () => {
      const { code } = await run('npm', ['run', '--silent', script], {}, write);
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
    });

/**
 * The unit tests, in three processes side by side: those of the node agent, which wait for the kernel most of the time, those of the
 * server, and the others.
 */
const unitParts = (grep: string | undefined): Part => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly scripts: Record<string, string> };
  const patterns = [...(scripts['test:unit'] ?? '').matchAll(/'([^']+)'/g)].map(([, pattern = '']) => pattern);
  const processOf = (pattern: string) => ['server', 'node-agent'].find((folder) => pattern.startsWith(`${folder}/`)) ?? 'others';
  const processes = Object.values(Object.groupBy(patterns, processOf));
  return (write) =>
    timed('unit tests', write, async () => {
      const counts = await Promise.all(processes.map((ofProcess = []) => runMocha(mocha, ofProcess, grep, write)));
      return counts.reduce(addCounts);
    });
};

/** The counts of two runs together. */
function addCounts(a: Counted, b: Counted): Counted {
  const skipped = (a.skipped ?? 0) + (b.skipped ?? 0);
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped,
    failures: [...(a.failures ?? []), ...(b.failures ?? [])],
  };
}

const e2ePart =
  ({ file, needsNode }: (typeof e2eSuites)[number], grep: string | undefined): Part =>
  (write) =>
    timed(file, write, async () => {
      if (needsNode && !canRunNode()) return { passed: 0, failed: 0, note: 'not run: it needs root and containerd' };
      return await runMocha(mocha, [path.join(root, 'conformance/clients/e2e', file)], grep, write);
    });

/** Runs the conformance suite, against a cluster with a node if this machine can run one. */
const conformancePart =
  (grep: string | undefined): Part =>
  (write) =>
    timed('conformance suite', write, async () => {
      const cluster = await startCluster({ node: canRunNode() });
      try {
        const focus = grep === undefined ? [] : ['--focus', grep];
        const program = path.join(import.meta.dirname, 'run-conformance.ts');
        const { code, output } = await run(nodeProgram, [program, '--kubeconfig', cluster.kubeconfig, ...focus], {}, write);
        const counts = /^(\d+) passed, (\d+) failed$/m.exec(output);
        const skipped = /^(\d+) skipped$/m.exec(output)?.[1];
        if (!counts) return { passed: 0, failed: code === 2 && grep !== undefined ? 0 : 1, note: 'it ended early' };
        const failures = output.match(/^FAIL .*(?:\n +.*)*/gm) ?? [];
        return {
          passed: Number(counts[1]),
          failed: Number(counts[2]),
          failures,
          ...(skipped ? { note: `${skipped} not run (named above)` } : {}),
        };
      } finally {
        await cluster.stop();
      }
    });

/** The checks on an emulated Debian machine. */
const machinePart =
  (grep: string | undefined): Part =>
  (write) =>
    timed('emulated machine', write, async () => {
      const program = path.join(root, 'conformance/machine/run-machine-test.ts');
      const { output } = await run(nodeProgram, [program, ...(grep === undefined ? [] : ['--only', grep])], {}, write);
      const counts = /^(\d+) passed, (\d+) failed$/m.exec(output);
      if (!counts) return { passed: 0, failed: 1, note: 'it ended early' };
      return { passed: Number(counts[1]), failed: Number(counts[2]) };
    });

type Counted = Pick<PartResult, 'passed' | 'failed' | 'skipped' | 'note' | 'failures'>;

async function timed(name: string, write: Write, work: () => Promise<Counted>): Promise<PartResult> {
  write(`\n${name}\n`);
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  try {
    return { name, ...(await work()), seconds: seconds() };
  } catch (error) {
    write(`${inspect(error)}\n`);
    return { name, passed: 0, failed: 1, seconds: seconds() };
  }
}

/** Runs mocha and reads the counts that its reporter has written; a run that wrote none has failed. */
async function runMocha(program: string, args: readonly string[], grep: string | undefined, write: Write): Promise<Counted> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-counts-'));
  const file = path.join(directory, 'counts.json');
  try {
    const filter = grep === undefined ? [] : ['--grep', grep];
    const { code } = await run(program, [...args, '--reporter', reporter, ...filter], { KUBETS_TEST_COUNTS: file }, write);
    const { passed, failed, skipped, failures } = JSON.parse(readFileSync(file, 'utf8')) as TestCounts;
    // mocha also fails where nothing matched, or a file could not be loaded.
    const failedOtherwise = failed === 0 && code !== 0 ? 1 : 0;
    return { passed, failed: failed + failedOtherwise, failures, skipped };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs a program. Its output is written as it arrives; its standard error goes to the terminal. */
function run(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  write: Write,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      write(chunk.toString());
      output += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

process.exit(await main());
