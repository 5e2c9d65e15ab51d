import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../clients/support/cluster.ts';
import { runSuccessfully } from '../framework/run-program.ts';
import { checksOf } from './checks/checks.ts';
import type { CheckContext, CheckTopic } from './checks/check.ts';
import { createGuestCluster } from './guest/guest-cluster.ts';
import { chooseAccelerator } from './emulator/accelerator.ts';
import { ensureBootedOnce } from './emulator/boot-once.ts';
import { createMachine, type Machine } from './emulator/machine.ts';
import { createNetworkSwitch } from './emulator/network-switch.ts';
import { measureSlowness, patienceFor } from './emulator/slowness.ts';
import { createKeyPair } from './emulator/ssh.ts';
import { checkoutFolder, ensureImage } from './image/ensure-image.ts';
import { machineNames } from './image/recipe.ts';
import { orAborted, untilAborted } from './or-aborted.ts';
import { type MachineTestOptions, parseOptions, usage } from './options.ts';
import { createProgress, type Progress } from './progress.ts';
import { formatCounts, formatTable } from './report.ts';
import { listChecks, runChecks, selectChecks } from './run-checks.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** The seconds that Debian may take to boot on an emulated processor of a busy machine. */
const bootSeconds = 600;

/** The output of `npm run generate`, which takes minutes on an emulated processor. It is made anew there if it is not of this commit. */
const generatedFolders = ['api/types', 'api/schema/generated', 'openapi/generated'];

type Cleanup = () => Promise<void> | void;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  const topics = selectChecks(checksOf(options), options.only);
  if (options.help || options.list) {
    console.log(options.help ? usage : formatChecks(topics));
    return 0;
  }
  if (process.getuid?.() !== 0) throw new Error('the image is made with debootstrap, which needs root');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort(new Error('interrupted')));
  const cleanups: Cleanup[] = [];
  try {
    return await run(options, topics, interrupted.signal, cleanups);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function formatChecks(topics: readonly CheckTopic[]): string {
  return listChecks(topics)
    .map(({ topic, check }) => `${topic}: ${check.name}`)
    .join('\n');
}

async function run(options: MachineTestOptions, topics: readonly CheckTopic[], signal: AbortSignal, cleanups: Cleanup[]): Promise<number> {
  const progress = createProgress(console.log, () => performance.now());
  const folder = mkdtempSync(path.join(os.tmpdir(), 'kubets-machine-'));
  cleanups.push(() => (options.keep ? progress(`kept: ${folder}`) : rmSync(folder, { recursive: true, force: true })));
  const machines = await bootMachines(options, folder, progress, signal, cleanups);
  const [machine] = machines;
  if (machine === undefined) throw new Error('there is no machine');
  const slowness = await measureSlowness(machine);
  const patience = options.patience ?? patienceFor(slowness);
  progress(`programs start ${slowness.toFixed(0)} times as slowly as here: time-outs are multiplied by ${patience.toFixed(1)}`);
  if (options.ssh) {
    for (const { name, shell } of machines) console.log(`${name}: ${shell.command}`);
    await untilAborted(signal);
    return 0;
  }
  const seconds = (usual: number) => Math.ceil(usual * patience);
  const context: CheckContext = {
    machine,
    machines,
    cluster: createGuestCluster({ machine, folder, seconds }),
    seconds,
    rounds: options.rounds,
    say: progress,
  };
  const results = await runChecks(topics, context, signal);
  console.log(`\n${formatTable(results)}\n${formatCounts(results)}`);
  return results.every(({ outcome }) => outcome === 'passed') ? 0 : 1;
}

/** Boots as many machines as are wanted, with this checkout's commit on each. */
async function bootMachines(
  options: MachineTestOptions,
  folder: string,
  progress: Progress,
  signal: AbortSignal,
  cleanups: Cleanup[],
): Promise<Machine[]> {
  mkdirSync(options.cache, { recursive: true });
  const newImage = await ensureImage({ ...options, progress, signal });
  const { accelerator, reason } =
    options.accelerator === 'auto' ? await chooseAccelerator(newImage) : { accelerator: options.accelerator, reason: 'as asked' };
  progress(`accelerator ${accelerator}: ${reason}`);
  const keyPair = await createKeyPair(folder);
  const size = options.machines === 1 ? { processors: 2, memoryMiB: 4096 } : { processors: 1, memoryMiB: 2048 };
  progress('booting');
  const image = await orAborted(ensureBootedOnce(newImage, { folder, accelerator, size, keyPair, bootSeconds }), signal);
  const ports = await Promise.all(Array.from({ length: options.machines }, freePort));
  const networkSwitch = options.machines === 1 ? undefined : await createNetworkSwitch(ports);
  if (networkSwitch) cleanups.push(() => networkSwitch.close());
  const machines: Machine[] = [];
  for (const [place, port] of ports.entries()) {
    const between = networkSwitch && { index: place + 1, port, switchPort: networkSwitch.port };
    const name = machineNames()[place] ?? '';
    const machine = await createMachine({ name, folder, image, accelerator, size, keyPair, bootSeconds, ...(between ? { between } : {}) });
    cleanups.push(() => machine.unplug());
    machines.push(machine);
  }
  const checkout = await packCheckout(folder);
  await Promise.all(
    machines.map(async (machine) => {
      await orAborted(machine.powerOn(), signal);
      await copyCheckout(machine, checkout);
      progress(`${machine.name} has booted`);
    }),
  );
  return machines;
}

/** Gives a machine the present commit, as a clone would, with the code that is generated from it. */
async function copyCheckout(machine: Machine, archive: string): Promise<void> {
  const { code, stderr } = await machine.shell.runWithFile(`tar -x -C ${checkoutFolder}`, archive, { timeoutSeconds: 300 });
  if (code !== 0) throw new Error(`the checkout could not be copied to ${machine.name}: ${stderr}`);
}

async function packCheckout(folder: string): Promise<string> {
  const archive = path.join(folder, 'checkout.tar');
  await runSuccessfully('git', ['-C', root, 'archive', '--output', archive, 'HEAD']);
  await runSuccessfully('tar', ['-rf', archive, '-C', root, ...generatedFolders]);
  return archive;
}

const exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
process.exit(exitCode);
