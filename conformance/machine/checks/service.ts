import { waitFor } from '../../framework/wait-for.ts';
import type { Machine } from '../emulator/machine.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { containersOf, describeChanges } from './containers.ts';
import { expectEqual, expectMatch, expectThat } from '../guest/expect.ts';
import { listProcesses, processesOf } from './processes.ts';
import { untilGuestbookRuns } from '../guest/guestbook.ts';
import { expectNothingRuns } from './restart-up.ts';

export const service: CheckTopic = {
  topic: 'service',
  prepare: { name: '`kubets install` makes units that are enabled and bring up a ready node', run: installs },
  checks: [
    { name: 'the units have a cgroup of their own, protection, no limit of tasks, and leave Pods alone when stopped', run: unitsAreSet },
    { name: 'logs are in the journal', run: logsAreInJournal },
    { name: '`kubets status` tells on one screen what runs and where data are', run: statusTells },
    { name: 'a stop of the units leaves Pods running, and the next start adopts them', run: stopLeavesPods },
    { name: 'the unit gives up where a program is missing, says so, and starts when it is there again', run: givesUp },
    { name: '`systemctl reboot` ends Pods in their grace periods, and as many run again after the boot', run: rebootIsGraceful },
    { name: 'a machine that lost power has all Pods again after it has booted', run: survivesPowerLoss },
    { name: '`kubets stop --pods` ends all Pods', run: stopEndsPods },
    { name: '`kubets uninstall` removes the units and keeps the data', run: uninstalls },
  ],
};

async function units(machine: Machine): Promise<string[]> {
  const text = await machine.succeed("systemctl list-unit-files --no-legend 'kubets*.service' | awk '{print $1}'");
  return text
    .trim()
    .split('\n')
    .filter((unit) => unit !== '');
}

async function installs(context: CheckContext): Promise<string> {
  const { cluster, machine, seconds } = context;
  await cluster.interruptUp();
  await expectNothingRuns(context);
  const { code, stdout, stderr } = await cluster.kubets('install', { timeoutSeconds: seconds(120) });
  expectEqual(`the exit code of kubets install (${stdout}${stderr})`, code, 0);
  const names = await units(machine);
  expectThat(names.length > 0, 'there is no unit kubets*.service');
  for (const unit of names) expectEqual(`whether ${unit} is enabled`, await machine.succeed(`systemctl is-enabled ${unit}`), 'enabled');
  await untilReady(context, 120);
  await untilGuestbookRuns(context);
  return names.join(', ');
}

/** Waits until the API answers and the agent has reported again that the node is ready: the stored status is from before. */
async function untilReady({ cluster, machine, seconds }: CheckContext, usualSeconds: number): Promise<void> {
  const since = (await machine.succeed('date -u +%Y-%m-%dT%H:%M:%S')).trim();
  let last = '';
  await waitFor(
    'the node to be ready',
    async () => {
      last = await cluster
        .readCredentials()
        .then(() => cluster.run('-n', 'kube-node-lease', 'get', 'lease', 'node1', '-o', 'jsonpath={.spec.renewTime}'))
        .then(
          async (renewed) => `${renewed > since} ${await cluster.field('node/node1', '{.status.conditions[?(@.type=="Ready")].status}')}`,
        )
        .catch(String);
      return last === 'true True';
    },
    { withinSeconds: seconds(usualSeconds), everyMs: 2000 },
  ).catch(async (error: unknown) => {
    const log = (await machine.shell.run("journalctl -n 30 --no-pager -u 'kubets*'")).stdout;
    throw new Error(`${String(error)}: ${last}\n${log}`, { cause: error });
  });
}

const wantedProperties: Readonly<Record<string, RegExp>> = {
  Delegate: /^yes$/,
  KillMode: /^(mixed|process|none)$/,
  OOMScoreAdjust: /^-99\d$/,
  TasksMax: /^infinity$/,
  Restart: /^(always|on-failure)$/,
};

async function unitsAreSet({ machine }: CheckContext): Promise<string> {
  const found: string[] = [];
  for (const unit of await units(machine)) {
    const text = await machine.succeed(`systemctl show ${unit} -p ${Object.keys(wantedProperties).join(' -p ')}`);
    for (const [name, wanted] of Object.entries(wantedProperties)) {
      const value = new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
      expectMatch(`${name} of ${unit}`, value, wanted);
    }
    found.push(`${unit}: ${text.trim().replaceAll('\n', ' ')}`);
  }
  return found.join('; ');
}

async function logsAreInJournal({ machine }: CheckContext): Promise<string> {
  const lines = Number(await machine.succeed("journalctl -b --no-pager -q -u 'kubets*' _TRANSPORT=stdout | wc -l"));
  expectThat(lines > 0, 'the journal has no line of the units');
  return `${lines} lines`;
}

async function statusTells({ cluster }: CheckContext): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubets('status');
  expectEqual(`the exit code of kubets status (${stdout}${stderr})`, code, 0);
  expectMatch('kubets status', stdout, /\/var\/lib\/kubets/);
  expectMatch('kubets status', stdout, /node1/);
  expectMatch('kubets status', stdout, /ready/i);
  const lines = stdout.trim().split('\n').length;
  expectThat(lines <= 40, `it has ${lines} lines`);
  return `${lines} lines`;
}

async function stopLeavesPods(context: CheckContext): Promise<string> {
  const { cluster, machine, seconds } = context;
  const before = await containersOf(cluster);
  const names = (await units(machine)).join(' ');
  const startedMs = performance.now();
  await machine.succeed(`systemctl stop ${names}`, { timeoutSeconds: seconds(90) });
  const took = ((performance.now() - startedMs) / 1000).toFixed(0);
  const processes = await listProcesses(machine);
  expectEqual('the number of control planes after the stop', processesOf('control plane', processes).length, 0);
  expectThat(processesOf('shim', processes).length > 0, 'no shim runs after the stop');
  await machine.succeed(`systemctl start ${names}`, { timeoutSeconds: seconds(120) });
  await untilReady(context, 120);
  await untilGuestbookRuns(context);
  expectEqual('what has changed by stop and start', describeChanges(before, await containersOf(cluster)), '');
  return `stopped in ${took} s, ${before.length} containers as before`;
}

async function givesUp(context: CheckContext): Promise<string> {
  const { machine, seconds } = context;
  const [unit = ''] = await units(machine);
  await machine.succeed(`systemctl stop ${unit}; nft=$(command -v nft); echo $nft >/root/nft-is-at; mv $nft $nft.away`, {
    timeoutSeconds: seconds(90),
  });
  try {
    const { code } = await machine.shell.run(`systemctl start ${unit}`, { timeoutSeconds: seconds(90) });
    expectThat(code !== 0, `${unit} was started without nft`);
    const state = await machine.succeed(`systemctl show ${unit} -p ActiveState -p ExecMainStatus -p NRestarts`);
    for (const wanted of ['ActiveState=failed', 'ExecMainStatus=78', 'NRestarts=0'])
      expectMatch(`the state of ${unit}`, state, new RegExp(`^${wanted}$`, 'm'));
    const log = await machine.succeed(`journalctl -b --no-pager -q -n 20 -u ${unit}`);
    expectMatch('the log', log, /FileExisting-nft/);
  } finally {
    await machine.succeed('nft=$(cat /root/nft-is-at); mv $nft.away $nft; rm /root/nft-is-at');
  }
  await machine.succeed(`systemctl start ${unit}`, { timeoutSeconds: seconds(120) });
  await untilReady(context, 120);
  await untilGuestbookRuns(context);
  return 'failed with the status 78, not restarted';
}

/** The time by which Pods may delay the shutdown, with the time that systemd needs itself, on a machine of usual speed. */
const shutdownSeconds = 45;

async function rebootIsGraceful(context: CheckContext): Promise<string> {
  const { cluster, machine, seconds } = context;
  const before = await containersOf(cluster);
  const bootID = await machine.bootID();
  await machine.shell.run('systemctl reboot', { timeoutSeconds: 60 });
  await machine.waitForReboot(bootID);
  const took = secondsOfShutdown(await machine.succeed('journalctl -b -1 --no-pager -o short-unix'));
  const waited = /Waiting for process: .*/.exec(lastBoot(machine.consoleLog()))?.[0];
  expectEqual('what the shutdown waited for at its end', waited ?? '', '');
  expectThat(Number(took) <= seconds(shutdownSeconds), `the shutdown took ${took} s`);
  await untilReady(context, 180);
  await untilGuestbookRuns(context);
  const after = await containersOf(cluster);
  // Pods that were ended in order are Failed and replaced, as upstream; a kubelet starts the others again, once.
  const twice = after.filter(({ name, restartCount }) => restartCount > 1 + (before.find((old) => old.name === name)?.restartCount ?? 0));
  expectEqual('what restarted more than once', twice.map(({ name, restartCount }) => `${name} ${restartCount}`).join(', '), '');
  expectEqual('the number of containers that run', after.length, before.length);
  const terminated = await cluster.run('get', 'pods', '-A', '-o', 'jsonpath={.items[?(@.status.reason=="Terminated")].metadata.name}');
  return `down in ${took} s; ${terminated.split(' ').filter((name) => name !== '').length} Pods ended in order and replaced; ${after.length} containers run again`;
}

/** The time from the word of the shutdown to the last line of a boot's journal. */
export function secondsOfShutdown(journal: string): string {
  const lines = journal.trim().split('\n');
  const begin = lines.find((line) => /System is rebooting|The system will reboot now/.test(line));
  const time = (line: string | undefined): number => Number(line?.split(' ')[0]);
  const took = time(lines.at(-1)) - time(begin);
  return Number.isNaN(took) ? 'unknown' : took.toFixed(0);
}

/** The console output of the previous boot, and of its shutdown. */
function lastBoot(console: string): string {
  return console.split(/^.*Linux version /m).at(-2) ?? '';
}

async function survivesPowerLoss(context: CheckContext): Promise<string> {
  const { machine } = context;
  const bootID = await machine.bootID();
  await machine.succeed('sync');
  await machine.reset();
  await machine.waitForReboot(bootID);
  const startedMs = performance.now();
  await untilReady(context, 180);
  await untilGuestbookRuns(context);
  return `all Pods run ${((performance.now() - startedMs) / 1000).toFixed(0)} s after the shell answers`;
}

async function stopEndsPods(context: CheckContext): Promise<string> {
  const { cluster, seconds } = context;
  const { code, stdout, stderr } = await cluster.kubets('stop --pods', { timeoutSeconds: seconds(180) });
  expectEqual(`the exit code of kubets stop --pods (${stdout}${stderr})`, code, 0);
  await expectNothingRuns(context);
  return stdout.trim().split('\n').at(-1) ?? '';
}

async function uninstalls({ cluster, machine, seconds }: CheckContext): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubets('uninstall', { timeoutSeconds: seconds(180) });
  expectEqual(`the exit code of kubets uninstall (${stdout}${stderr})`, code, 0);
  expectEqual('the units that are left', (await units(machine)).join(', '), '');
  await machine.succeed('test -e /var/lib/kubets');
  return stdout.trim().split('\n').at(-1) ?? '';
}
