import { waitFor } from '../../../framework/wait-for.ts';
import type { CheckContext, CheckTopic } from '../check.ts';
import { expectEqual, expectMatch } from '../../guest/expect.ts';
import { idle, podManifest } from '../pods.ts';
import { resetAndLook, stopAndReset } from '../removal.ts';
import { imagesAreLoaded } from '../start.ts';

export const dualStack: CheckTopic = {
  topic: 'dual stack',
  prepare: { name: 'a new cluster of IPv4 and IPv6 starts', run: startAnew },
  checks: [
    { name: 'node and Pods have an address of each family', run: addressesAreBoth },
    { name: 'a Service of both families answers a Pod, and at the node port, by each of them', run: serviceAnswers },
    { name: 'DNS has addresses of both families', run: namesResolve },
    { name: '`kubets reset` leaves nothing of either family', run: stopAndReset },
  ],
};

const nodeAddress = 'fd00:77::15';
const nodePort = 30_081;

async function startAnew(context: CheckContext): Promise<string> {
  const { cluster, machine } = context;
  await cluster.interruptUp().catch(() => undefined);
  await resetAndLook(context);
  const folder = '/etc/systemd/network/10-only.network.d';
  const settings = `[Network]\\nLinkLocalAddressing=ipv6\\nAddress=${nodeAddress}/64\\n`;
  await machine.succeed(
    `mkdir -p ${folder} && printf '${settings}' >${folder}/ipv6.conf && networkctl reload && networkctl reconfigure eth0`,
  );
  await waitFor('the IPv6 address', async () => /fd00:77::15\/64(?!.*tentative)/.test(await machine.succeed('ip -6 addr show dev eth0')), {
    withinSeconds: context.seconds(30),
    everyMs: 500,
  });
  await cluster.up(['--cluster-cidr', '10.244.0.0/16,fd00:244::/48', '--service-cidr', '10.96.0.0/12,fd00:96::/108']);
  await cluster.waitForField('node/node1', '{.status.conditions[?(@.type=="Ready")].status}', /^True$/, 60);
  await imagesAreLoaded(context);
  return (await cluster.field('node/node1', '{.spec.podCIDRs}')).trim();
}

async function addressesAreBoth({ cluster, machine }: CheckContext): Promise<string> {
  const ofNode = await cluster.field('node/node1', '{.status.addresses[?(@.type=="InternalIP")].address}');
  expectEqual('the addresses of the node', ofNode, `${machine.address} ${nodeAddress}`);
  const script = "mkdir -p /www; echo both >/www/index.html; exec httpd -f -p '[::]:8080' -h /www";
  await cluster.apply(podManifest({ name: 'both', labels: { app: 'both' }, script }));
  await cluster.apply(podManifest({ name: 'asker', script: idle }));
  for (const pod of ['both', 'asker']) await cluster.waitForField(`pod/${pod}`, '{.status.phase}', /^Running$/, 60);
  const ofPod = await cluster.field('pod/both', '{.status.podIPs[*].ip}');
  expectMatch('the addresses of a Pod', ofPod, /^10\.244\.\d+\.\d+ fd00:244:\S+$/);
  return `node ${ofNode}; Pod ${ofPod}`;
}

async function serviceAnswers({ cluster, machine, seconds }: CheckContext): Promise<string> {
  const spec = {
    type: 'NodePort',
    ipFamilyPolicy: 'RequireDualStack',
    selector: { app: 'both' },
    ports: [{ port: 80, targetPort: 8080, nodePort }],
  };
  await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'both' }, spec });
  const addresses = (await cluster.field('service/both', '{.spec.clusterIPs[*]}')).split(' ');
  expectMatch('the addresses of the Service', addresses.join(' '), /^10\.\S+ fd00:96:\S+$/);
  const url = (host: string, port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
  const ask: [string, () => Promise<string>][] = [
    ...addresses.map((address): [string, () => Promise<string>] => [
      `a Pod at ${address}`,
      async () => (await cluster.kubectl(['exec', 'asker', '--', 'wget', '-q', '-T', '10', '-O-', url(address, 80)])).stdout,
    ]),
    ...[machine.address, nodeAddress].map((address): [string, () => Promise<string>] => [
      `the machine at ${address}`,
      async () => (await machine.shell.run(`curl -s -g -m 10 '${url(address, nodePort)}'`)).stdout,
    ]),
  ];
  for (const [who, answer] of ask)
    await waitFor(`an answer to ${who}`, async () => (await answer()).trim() === 'both', { withinSeconds: seconds(60), everyMs: 1000 });
  return ask.map(([who]) => who).join(', ');
}

async function namesResolve({ cluster, seconds }: CheckContext): Promise<string> {
  const { stdout, stderr } = await cluster.kubectl(['exec', 'asker', '--', 'nslookup', 'both.default.svc.cluster.local'], {
    timeoutSeconds: seconds(30),
  });
  const addresses = (await cluster.field('service/both', '{.spec.clusterIPs[*]}')).split(' ');
  for (const address of addresses) expectMatch('nslookup', stdout + stderr, new RegExp(`Address: ${address.replaceAll('.', '\\.')}$`, 'm'));
  return addresses.join(', ');
}
