import { waitFor } from '../../../framework/wait-for.ts';
import type { Machine } from '../../emulator/machine.ts';
import { checkoutFolder } from '../../image/ensure-image.ts';
import type { CheckContext, CheckTopic } from '../check.ts';
import { expectEqual, expectMatch } from '../../guest/expect.ts';
import { interruptAgent, startAgent, untilAllReady } from './joining.ts';
import { expectAnswersOfAll } from './spread.ts';

/** A node that joined a cluster elsewhere, as a service of its machine. */
export const nodeService: CheckTopic = {
  topic: 'service of a node',
  prepare: { name: '`npm run service -- --agent` makes a service of the node of the last machine', run: installs },
  checks: [
    { name: 'the token is on no command line and in no unit', run: tokenIsHidden },
    { name: 'a reboot of the machine brings the node and its Pods back', run: rebootIsSurvived },
    { name: '`kubets uninstall` on the machine removes the unit, and the agent can be started by hand', run: uninstalls },
  ],
};

const unit = 'kubets-agent.service';

function lastOf({ machines }: CheckContext): Machine {
  const last = machines.at(-1);
  if (last === undefined) throw new Error('there is no machine');
  return last;
}

async function installs(context: CheckContext): Promise<string> {
  const { cluster, seconds } = context;
  const machine = lastOf(context);
  await interruptAgent(machine);
  const { stdout, stderr } = await cluster.kubets('token create --print-join-command');
  expectMatch(`the command (${stderr})`, stdout, /^kubets agent --server /);
  const flags = stdout.trim().replace('kubets agent ', '');
  await machine.succeed(`cd ${checkoutFolder} && npm run service -- --agent ${flags}`, { timeoutSeconds: seconds(240) });
  expectEqual(`whether ${unit} is enabled`, await machine.succeed(`systemctl is-enabled ${unit}`), 'enabled');
  await untilRenewed(context, machine);
  await untilAllReady(context);
  return `${unit} on ${machine.name}`;
}

/** Waits until the node has renewed its Lease after now: the API's state may be from before. */
async function untilRenewed({ cluster, seconds, machine: first }: CheckContext, { name }: Machine): Promise<void> {
  const since = (await first.succeed('date -u +%Y-%m-%dT%H:%M:%S')).trim();
  const renewed = () => cluster.run('-n', 'kube-node-lease', 'get', 'lease', name, '-o', 'jsonpath={.spec.renewTime}').catch(() => '');
  await waitFor(`${name} to renew its Lease`, async () => (await renewed()) > since, { withinSeconds: seconds(240), everyMs: 1000 });
}

async function tokenIsHidden(context: CheckContext): Promise<string> {
  const machine = lastOf(context);
  const token = /[a-z0-9]{6}\.[a-z0-9]{16}/;
  const unitText = await machine.succeed(`systemctl cat ${unit}`);
  const processes = await machine.succeed("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true");
  for (const [what, text] of Object.entries({ 'the unit': unitText, 'a command line': processes }))
    expectEqual(`the token in ${what}`, token.exec(text)?.[0] ?? '', '');
  return 'neither in the unit nor on a command line';
}

async function rebootIsSurvived(context: CheckContext): Promise<string> {
  const { machines } = context;
  const machine = lastOf(context);
  const bootID = await machine.bootID();
  const startedMs = performance.now();
  await machine.shell.run('systemctl reboot', { timeoutSeconds: 60 });
  await machine.waitForReboot(bootID);
  await untilRenewed(context, machine);
  await untilAllReady(context);
  const took = ((performance.now() - startedMs) / 1000).toFixed(0);
  await context.cluster.run('rollout', 'restart', 'deployment/web');
  const names = machines.map(({ name }) => name);
  await expectAnswersOfAll(context, names, names.slice(0, -1));
  return `ready again ${took} s after the reboot was asked for`;
}

async function uninstalls(context: CheckContext): Promise<string> {
  const machine = lastOf(context);
  const { seconds } = context;
  await machine.succeed(`cd ${checkoutFolder} && npm run -s kubets -- uninstall`, { timeoutSeconds: seconds(180) });
  expectEqual('the units that are left', (await machine.succeed("systemctl list-unit-files --no-legend 'kubets*' || true")).trim(), '');
  startAgent(machine);
  await untilRenewed(context, machine);
  await untilAllReady(context);
  return `${machine.name} is ready again`;
}
