import { readFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '../../framework/wait-for.ts';
import { checkoutFolder } from '../image/ensure-image.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectMatch } from '../guest/expect.ts';

const guestbook = readFileSync(path.resolve(import.meta.dirname, '../../../docs/guestbook/guestbook.yaml'), 'utf8');

/** The settings of the kernel without which Services and Pods do not reach each other. */
const networkSettings = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables', 'net.ipv4.ip_forward'];

export const start: CheckTopic = {
  topic: 'start',
  checks: [
    { name: "the README's first command brings up a ready node", isAlwaysRun: true, isFoundation: true, run: upIsReady },
    { name: 'kernel modules of bridge, conntrack and overlay are loaded, bridged packets are filtered', run: modulesAreLoaded },
    { name: "conntrack has the kubelet's proxy's settings from the first start on", run: conntrackIsSet },
    { name: 'memory and panics of the kernel are set as a kubelet sets them', run: tunablesAreSet },
    { name: "the README's commands build images and load them", isAlwaysRun: true, isFoundation: true, run: imagesAreLoaded },
    { name: 'the guestbook answers through its NodePort without any other step', isAlwaysRun: true, run: guestbookAnswers },
  ],
};

async function upIsReady({ cluster, machine }: CheckContext): Promise<string> {
  const before = await machine.succeed('lsmod');
  if (/^br_netfilter /m.test(before)) throw new Error('br_netfilter is loaded before the start: this is no stock machine');
  const startedMs = performance.now();
  await cluster.up();
  await cluster.waitForField('node/node1', '{.status.conditions[?(@.type=="Ready")].status}', /^True$/, 60);
  return `ready after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}

async function modulesAreLoaded({ machine }: CheckContext): Promise<string> {
  const modules = await machine.succeed('lsmod');
  for (const module of ['br_netfilter', 'nf_conntrack', 'overlay']) expectMatch('lsmod', modules, new RegExp(`^${module} `, 'm'));
  for (const setting of networkSettings) {
    const file = `/proc/sys/${setting.replaceAll('.', '/')}`;
    expectEqual(setting, await machine.succeed(`cat ${file}`), 1);
  }
  return `${networkSettings.join(', ')} are 1`;
}

async function conntrackIsSet({ machine }: CheckContext): Promise<string> {
  const processors = Number(await machine.succeed('nproc'));
  const wanted = {
    nf_conntrack_max: Math.max(131_072, processors * 32_768),
    nf_conntrack_tcp_timeout_established: 86_400,
    nf_conntrack_tcp_timeout_close_wait: 3600,
  };
  for (const [name, value] of Object.entries(wanted))
    expectEqual(name, await machine.succeed(`cat /proc/sys/net/netfilter/${name}`), value);
  return `nf_conntrack_max ${wanted.nf_conntrack_max}, established 86400 s, close_wait 3600 s`;
}

async function tunablesAreSet({ machine }: CheckContext): Promise<string> {
  const wanted = { 'vm.overcommit_memory': 1, 'vm.panic_on_oom': 0, 'kernel.panic': 10, 'kernel.panic_on_oops': 1 };
  for (const [name, value] of Object.entries(wanted))
    expectEqual(name, await machine.succeed(`cat /proc/sys/${name.replaceAll('.', '/')}`), value);
  return Object.entries(wanted)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** The README's commands that build images of Debian's packages and load them into the node. */
export async function imagesAreLoaded({ machine, seconds }: CheckContext): Promise<string> {
  const inCheckout = (command: string) => machine.succeed(`cd ${checkoutFolder} && ${command}`, { timeoutSeconds: seconds(120) });
  await inCheckout('node_modules/.bin/node conformance/images/build.ts ./images');
  return (await inCheckout('npm run -s kubets -- images load ./images/*.tar')).trim().replaceAll('\n', ', ');
}

async function guestbookAnswers({ cluster, machine, seconds }: CheckContext): Promise<string> {
  const startedMs = performance.now();
  await cluster.run('create', 'namespace', 'guestbook');
  const applied = await cluster.kubectl(['apply', '-n', 'guestbook', '-f', '-'], { input: guestbook });
  expectEqual('the exit code of kubectl apply', applied.code, 0);
  const rolledOut = await cluster.kubectl(['-n', 'guestbook', 'rollout', 'status', 'deployment', 'front', `--timeout=${seconds(120)}s`], {
    timeoutSeconds: seconds(150),
  });
  if (rolledOut.code !== 0) {
    const pods = await cluster.run('-n', 'guestbook', 'get', 'pods', '-o', 'wide');
    throw new Error(`the guestbook is not rolled out: ${rolledOut.stderr}\n${pods}`);
  }
  const port = await cluster.run('-n', 'guestbook', 'get', 'service', 'front', '-o', 'jsonpath={.spec.ports[0].nodePort}');
  const answer = await waitFor(
    'the first entry through the NodePort',
    async () => {
      const { stdout } = await machine.shell.run(`curl -s -m ${seconds(3)} http://${machine.address}:${port}/entries`);
      return stdout.includes('Welcome to the guestbook') && stdout;
    },
    { withinSeconds: seconds(60), everyMs: 1000 },
  );
  return `${JSON.stringify(answer.slice(0, 60))} after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}
