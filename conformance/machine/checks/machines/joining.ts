import type { BackgroundProgram } from '../../../clients/support/background-program.ts';
import { waitFor } from '../../../framework/wait-for.ts';
import type { Machine } from '../../emulator/machine.ts';
import { checkoutFolder } from '../../image/ensure-image.ts';
import type { CheckContext, CheckTopic } from '../check.ts';
import { expectEqual, expectMatch } from '../../guest/expect.ts';

/** The terminal sessions in which `npm run agent` runs, by the name of the machine. */
const agents = new Map<string, BackgroundProgram>();

export const joining: CheckTopic = {
  topic: 'joining',
  checks: [
    { name: 'the first machine brings up a cluster with host-gw', isAlwaysRun: true, isFoundation: true, run: firstMachineIsUp },
    { name: 'every machine has the images', isAlwaysRun: true, isFoundation: true, run: imagesAreEverywhere },
    { name: 'the others join with what the first one prints, and are ready', isAlwaysRun: true, isFoundation: true, run: othersJoin },
  ],
};

async function firstMachineIsUp({ cluster }: CheckContext): Promise<string> {
  const startedMs = performance.now();
  await cluster.up();
  return `ready after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}

/** Archives in the data dir of a node are loaded when it starts, and on the first machine at once by a command. */
async function imagesAreEverywhere({ machine: first, machines, seconds }: CheckContext): Promise<string> {
  const options = { timeoutSeconds: seconds(180) };
  await Promise.all(
    machines.map(async (machine) => {
      const inCheckout = (command: string) => machine.succeed(`cd ${checkoutFolder} && ${command}`, options);
      await inCheckout('mkdir -p /var/lib/kubets/images && node_modules/.bin/node conformance/images/build.ts /var/lib/kubets/images');
      if (machine === first) await inCheckout('npm run -s kubets -- images load /var/lib/kubets/images/*.tar');
    }),
  );
  return `${machines.length} machines`;
}

async function othersJoin(context: CheckContext): Promise<string> {
  const { cluster, machines, seconds } = context;
  const { code, stdout, stderr } = await cluster.kubets('token create --print-join-command');
  expectEqual(`the exit code of token create (${stderr})`, code, 0);
  const command = stdout.trim();
  expectMatch('the command', command, /^kubets agent --server https:\/\/192\.168\.77\.1:6443 --token \S+ --ca-hash sha256:\S+$/);
  const startedMs = performance.now();
  for (const machine of machines.slice(1)) startAgent(machine, command.replace('kubets agent ', ' -- '));
  for (const machine of machines.slice(1)) {
    const session = agents.get(machine.name);
    await session?.says(/has joined the cluster/, seconds(240));
  }
  await untilAllReady(context);
  return `${command.split(' ').slice(0, 4).join(' ')} …: all ready after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}

/** Runs `npm run agent` in a terminal session, in place of an earlier one. */
export function startAgent(machine: Machine, flags = ''): void {
  agents.set(machine.name, machine.shell.startSession(`cd ${checkoutFolder} && npm run agent${flags}`));
}

/** Ctrl-C in the terminal of a machine's agent, until the command has ended. */
export async function interruptAgent(machine: Machine): Promise<void> {
  const session = agents.get(machine.name);
  session?.write('\x03');
  await session?.exitCode;
}

export async function untilAllReady({ cluster, machines, seconds }: CheckContext): Promise<void> {
  const ready = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}';
  const wanted = machines.map(({ name }) => `${name}=True`).join(' ');
  let last = '';
  await waitFor(
    'all nodes to be ready',
    async () => {
      last = await cluster.run('get', 'nodes', '-o', `jsonpath=${ready}`).catch(String);
      return last.trim() === wanted;
    },
    { withinSeconds: seconds(240), everyMs: 1000 },
  ).catch((error: unknown) => {
    const logs = [...agents].map(([name, session]) => `${name}:\n${session.output().slice(-1000)}`).join('\n');
    throw new Error(`${String(error)}: ${last}\n${logs}`, { cause: error });
  });
}
