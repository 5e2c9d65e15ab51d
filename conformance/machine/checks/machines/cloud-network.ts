import type { CheckContext, CheckTopic } from '../check.ts';
import { expectEqual, expectMatch, expectThat } from '../../guest/expect.ts';
import { untilGuestbookAnswers } from '../../guest/guestbook.ts';
import { idle, podManifest } from '../pods.ts';

/** Checks of the variant `cloud`: see variants.ts. */
export const cloudNetwork: CheckTopic = {
  topic: 'cloud network',
  checks: [
    { name: 'cloud-init has configured NetworkManager, and systemd-resolved answers for names', run: machineIsSet },
    { name: 'NetworkManager leaves the interfaces of Pods alone', run: interfacesAreUnmanaged },
    { name: 'a Pod with `dnsPolicy: Default` gets the servers behind systemd-resolved', run: resolversArePassedOn },
    { name: 'restarts of NetworkManager and systemd-resolved leave Services and Pods reachable', run: restartsAreSurvived },
  ],
};

async function machineIsSet({ machine }: CheckContext): Promise<string> {
  const devices = await machine.succeed('nmcli -t -f DEVICE,STATE device');
  expectMatch('what NetworkManager says of eth0', devices, /^eth0:connected$/m);
  expectMatch('/etc/resolv.conf', await machine.succeed('cat /etc/resolv.conf'), /^nameserver 127\.0\.0\.53$/m);
  const { stdout } = await machine.shell.run('cloud-init status');
  expectMatch('cloud-init status', stdout, /done/);
  return devices.trim().replaceAll('\n', ', ');
}

async function interfacesAreUnmanaged({ machine }: CheckContext): Promise<string> {
  const lines = (await machine.succeed('nmcli -t -f DEVICE,STATE device')).trim().split('\n');
  const ofPods = lines.filter((line) => /^(cni0|veth)/.test(line));
  expectThat(ofPods.length >= 2, `it knows none: ${lines.join(', ')}`);
  // NetworkManager leaves interfaces of others alone as long as it does not connect them: then they would lose their addresses.
  expectEqual('those that it manages', ofPods.filter((line) => !/:(unmanaged|connected \(externally\))$/.test(line)).join(', '), '');
  return ofPods.slice(0, 3).join(', ');
}

async function resolversArePassedOn({ cluster }: CheckContext): Promise<string> {
  await cluster.apply(podManifest({ name: 'resolvers', script: idle, spec: { dnsPolicy: 'Default' } }));
  await cluster.waitForField('pod/resolvers', '{.status.phase}', /^Running$/, 60);
  const text = await cluster.run('exec', 'resolvers', '--', 'cat', '/etc/resolv.conf');
  await cluster.remove('pod/resolvers');
  expectMatch('its /etc/resolv.conf', text, /^nameserver 10\.0\.2\.3$/m);
  expectThat(!text.includes('127.0.0.53'), text);
  return 'nameserver 10.0.2.3';
}

async function restartsAreSurvived(context: CheckContext): Promise<string> {
  const { machine, seconds } = context;
  const routes = async () => (await machine.succeed("ip route | grep -E 'cni0|10\\.244\\.' | sort")).trim();
  const before = await routes();
  await machine.succeed('systemctl restart NetworkManager systemd-resolved', { timeoutSeconds: seconds(60) });
  const took = await untilGuestbookAnswers(context, seconds(15));
  expectEqual('the routes of Pods', await routes(), before);
  return `the NodePort answers after ${took}`;
}
