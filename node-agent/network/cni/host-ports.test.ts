import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createNamespacePool, type Namespace, networkTestsArePossible } from '../proxy/testing/test-network.ts';
import { podNetworkConflist } from './conflist.ts';
import { planHostPorts, restoreHostPorts } from './host-ports.ts';

const conflist = podNetworkConflist({
  bridge: 'cni0',
  podCIDRs: ['10.244.0.0/24'],
  mtu: 1500,
  ipamDirectory: '/i',
  limitsBandwidth: false,
});
const result = (netns: string) => ({
  cniVersion: '1.0.0',
  interfaces: [{ name: 'cni0' }, { name: 'veth1' }, { name: 'eth0', sandbox: netns }],
  ips: [{ interface: 2, address: '10.244.0.7/24', gateway: '10.244.0.1' }],
});
const cached = (containerId: string, netns: string, portMappings: readonly unknown[] = []) =>
  JSON.stringify({
    kind: 'cniCacheV1',
    containerId,
    ifName: 'eth0',
    networkName: 'kubets',
    capabilityArgs: { portMappings },
    result: result(netns),
  });
const mapping = { HostPort: 8088, ContainerPort: 80, Protocol: 'tcp', HostIP: '' };

describe('host ports that were lost', () => {
  it('are asked for as when the sandbox was made', () => {
    const call = planHostPorts(cached('s1', '/run/netns/x', [mapping]), conflist);
    assert.deepEqual(call?.environment, {
      ...{ CNI_COMMAND: 'ADD', CNI_CONTAINERID: 's1', CNI_NETNS: '/run/netns/x', CNI_IFNAME: 'eth0' },
    });
    const { type, runtimeConfig, prevResult } = JSON.parse(call?.configuration ?? '{}') as Record<string, unknown>;
    assert.deepEqual([type, runtimeConfig, prevResult], ['portmap', { portMappings: [mapping] }, result('/run/netns/x')]);
  });

  it('are none where the sandbox has none, or the file says nothing', () => {
    assert.equal(planHostPorts(cached('s1', '/run/netns/x'), conflist), undefined);
    assert.equal(planHostPorts('{}', conflist), undefined);
  });

  describe('in a kernel', function () {
    this.timeout(60_000);
    const pool = createNamespacePool();
    let [node, pod]: (Namespace | undefined)[] = [];
    let directory = '';
    before(async function () {
      if (!existsSync('/usr/lib/cni/portmap') || !(await networkTestsArePossible())) return this.skip();
      [node, pod] = [await pool.start(), await pool.start()];
      directory = await mkdtemp(`${tmpdir()}/kubets-ports-`);
    });
    after(async () => {
      await pool.close();
      if (directory !== '') await rm(directory, { recursive: true });
    });

    it('are made again for sandboxes that there are, and once', async () => {
      assert.ok(node && pod);
      const netns = `/proc/${pod.pid}/ns/net`;
      await mkdir(`${directory}/results`);
      await writeFile(`${directory}/10-kubets.conflist`, conflist);
      for (const id of ['here', 'gone'])
        await writeFile(
          `${directory}/results/kubets-${id}-eth0`,
          cached(id, netns, [{ ...mapping, HostPort: id === 'here' ? 8088 : 8089 }]),
        );
      await writeFile(`${directory}/results/kubets-plain-eth0`, cached('plain', netns));
      const layout = { configDirectory: directory, pluginDirectory: '/usr/lib/cni', resultDirectory: `${directory}/results` };
      const rules = async () => (await node?.run('iptables', ['-t', 'nat', '-S']))?.split('\n').filter((line) => /-j DNAT /.test(line));
      for (let times = 0; times < 2; times++) {
        assert.equal(await restoreHostPorts(layout, new Set(['here', 'plain']), node.run), 1);
        assert.equal((await rules())?.length, 1);
        assert.match((await rules())?.[0] ?? '', /--dport 8088 -j DNAT --to-destination 10\.244\.0\.7:80$/);
      }
      await node.run('nft', ['flush ruleset']);
      assert.deepEqual(await rules(), []);
      await restoreHostPorts(layout, new Set(['here']), node.run);
      assert.equal((await rules())?.length, 1);
    });
  });
});
