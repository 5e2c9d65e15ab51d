import { waitFor } from '../../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from '../check.ts';
import { containersOf } from '../containers.ts';
import { expectEqual, expectMatch, expectThat } from '../../guest/expect.ts';
import { interruptAgent, startAgent, untilAllReady } from './joining.ts';
import { expectAnswersOfAll, spreadManifest, untilAvailable } from './spread.ts';

export const hostGateway: CheckTopic = {
  topic: 'host-gw',
  prepare: { name: 'an application runs on all machines', run: deploy },
  checks: [
    { name: 'a Service reaches Pods of all machines from each machine', run: servicesReachAll },
    { name: 'routes to other machines that are deleted come back at once', run: routesComeBack },
    { name: 'the Pods of a machine that is switched off move, and its endpoints are used no more', run: podsMove },
    { name: 'a machine that is switched on again is adopted', run: machineComesBack },
  ],
};

export const overlay: CheckTopic = {
  topic: 'vxlan',
  prepare: { name: 'the cluster starts anew with vxlan', run: startWithOverlay },
  checks: [
    { name: 'a Service reaches Pods of all machines from each machine', run: servicesReachAll },
    { name: 'large packets go through between Pods of two machines', run: largePacketsPass },
  ],
};

const names = ({ machines }: CheckContext): string[] => machines.map(({ name }) => name);

async function deploy(context: CheckContext): Promise<string> {
  const { cluster, seconds } = context;
  await cluster.apply(spreadManifest(names(context)));
  await untilAvailable(context);
  const timeout = seconds(120);
  await cluster.kubectl(['wait', '--for=condition=Ready', ...names(context).map((name) => `pod/asker-${name}`), `--timeout=${timeout}s`], {
    timeoutSeconds: timeout + 10,
  });
  // Of Pods from before a restart some may still be ending.
  const path = '{range .items[*]}{.spec.nodeName}/{.metadata.deletionTimestamp} {end}';
  const list = await cluster.run('get', 'pods', '-l', 'app=web', '-o', `jsonpath=${path}`);
  const living = list
    .trim()
    .split(' ')
    .filter((entry) => entry.endsWith('/'));
  const nodes = living
    .map((entry) => entry.slice(0, -1))
    .sort()
    .join(' ');
  expectEqual('the nodes of the Pods', nodes, names(context).join(' '));
  return nodes;
}

function servicesReachAll(context: CheckContext): Promise<string> {
  return expectAnswersOfAll(context, names(context), names(context));
}

const podRoutes = "ip route | grep -E '^10\\.244\\..* via '";

async function routesComeBack({ machine, seconds }: CheckContext): Promise<string> {
  const before = (await machine.succeed(`${podRoutes} | sort`)).trim();
  expectThat(before.split('\n').length >= 2, `there are too few routes: ${before}`);
  await machine.succeed(`${podRoutes} | while read -r route; do ip route del $route; done`);
  const startedMs = performance.now();
  await waitFor('the routes', async () => (await machine.shell.run(`${podRoutes} | sort`)).stdout.trim() === before, {
    withinSeconds: seconds(5),
    everyMs: 200,
  });
  return `${before.split('\n').length} routes after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}

async function podsMove(context: CheckContext): Promise<string> {
  const { cluster, machines, seconds } = context;
  const lost = machines.at(-1);
  if (lost === undefined) throw new Error('there is no machine');
  await lost.unplug();
  const startedMs = performance.now();
  await cluster.waitForField(`node/${lost.name}`, '{.status.conditions[?(@.type=="Ready")].status}', /^Unknown$/, 120);
  const notReady = ((performance.now() - startedMs) / 1000).toFixed(0);
  const rest = names(context).slice(0, -1);
  await waitFor(
    'all Pods on the other machines',
    async () => {
      const list = await cluster.run(
        'get',
        'pods',
        '-l',
        'app=web',
        '-o',
        'jsonpath={range .items[?(@.status.phase=="Running")]}{.spec.nodeName}/{.metadata.deletionTimestamp} {end}',
      );
      const living = list
        .trim()
        .split(' ')
        .filter((entry) => entry.endsWith('/'));
      return living.length === machines.length && living.every((entry) => rest.some((name) => entry === `${name}/`));
    },
    { withinSeconds: seconds(180), everyMs: 1000 },
  );
  const moved = ((performance.now() - startedMs) / 1000).toFixed(0);
  await expectAnswersOfAll(context, rest, rest);
  return `NotReady after ${notReady} s, all Pods elsewhere after ${moved} s`;
}

async function machineComesBack(context: CheckContext): Promise<string> {
  const { cluster, machines, seconds } = context;
  const lost = machines.at(-1);
  if (lost === undefined) throw new Error('there is no machine');
  await lost.powerOn();
  startAgent(lost);
  await untilAllReady(context);
  // The former Pods were taken from it while it was off: they must not run on, and must be gone from the API.
  await waitFor(
    'the Pods of before to be gone',
    async () => (await cluster.run('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.deletionTimestamp}')).trim() === '',
    { withinSeconds: seconds(120), everyMs: 1000 },
  );
  await cluster.run('rollout', 'restart', 'deployment/web');
  await untilAvailable(context);
  await cluster.waitForField(`pod/asker-${lost.name}`, '{.status.conditions[?(@.type=="Ready")].status}', /^True$/, 120);
  const restarts = (await containersOf(cluster)).find(({ name }) => name === `default/asker-${lost.name}/main`)?.restartCount;
  const answers = await expectAnswersOfAll(context, names(context), names(context));
  return `asker-${lost.name} restarted ${restarts} times; ${answers}`;
}

async function startWithOverlay(context: CheckContext): Promise<string> {
  const { cluster, machines } = context;
  await Promise.all(machines.slice(1).map(interruptAgent));
  await cluster.interruptUp();
  await cluster.up(['--pod-network', 'vxlan']);
  for (const machine of machines.slice(1)) startAgent(machine);
  await untilAllReady(context);
  await untilAvailable(context);
  for (const machine of machines) expectMatch(`ip -d link on ${machine.name}`, await machine.succeed('ip -d link'), /vxlan id/);
  // While the others started they were not ready, and their Pods have moved to the first.
  await cluster.run('rollout', 'restart', 'deployment/web');
  return await deploy(context);
}

async function largePacketsPass(context: CheckContext): Promise<string> {
  const { cluster, machines, seconds } = context;
  const [from, to] = machines;
  if (from === undefined || to === undefined) throw new Error('there are too few machines');
  const address = await cluster.field(`pod/asker-${to.name}`, '{.status.podIP}');
  const size = 1300;
  const { code, stdout, stderr } = await cluster.kubectl(
    ['exec', `asker-${from.name}`, '--', 'ping', '-c', '3', '-s', String(size), address],
    {
      timeoutSeconds: seconds(30),
    },
  );
  expectEqual(`the exit code of ping (${stdout}${stderr})`, code, 0);
  return stdout.trim().split('\n').at(-1) ?? '';
}
