import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { createNamespacePool, type Namespace, type NamespacePool, networkTestsArePossible } from '../proxy/testing/test-network.ts';
import { createIPProgram } from './ip-program.ts';
import { type FollowedProgram, followProgram } from '../../linux/processes/follow-program.ts';
import { createPodNetwork } from './pod-network.ts';
import { createRouteWatch } from './route-watch.ts';
import type { RouteMode } from './pod-routes.ts';
import { runPodNetwork } from './run-pod-network.ts';

interface TestNode {
  readonly namespace: Namespace;
  readonly pod: Namespace;
  /** Addresses of the pod. */
  readonly podIPs: readonly string[];
}

const ranges = (index: number) => [`10.244.${index}.0/24`, `fd00:244:0:${index}::/64`];
const mtu = 1400;

/** On real kernels: two nodes, with a router or nothing in between, and a Pod on each. */
describe('pod network between nodes', function () {
  this.timeout(120_000);
  let pool: NamespacePool;
  let directory: string;
  let stop: () => Promise<void> = async () => {};

  beforeEach(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    pool = createNamespacePool();
    directory = await mkdtemp(join(tmpdir(), 'kubets-pod-network-'));
  });
  afterEach(async () => {
    await stop();
    stop = async () => {};
    await pool?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  async function script(namespace: Namespace, lines: readonly string[]): Promise<void> {
    await namespace.run('sh', ['-e'], { input: lines.join('\n') });
  }

  /** A node with its bridge and a Pod in it, as the bridge plugin makes them. */
  async function startNode(index: number): Promise<TestNode> {
    const [namespace, pod] = await Promise.all([pool.start(), pool.start()]);
    await script(namespace, [
      'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
      'ip link add cni0 type bridge; ip link set cni0 up',
      `ip addr add 10.244.${index}.1/24 dev cni0; ip addr add fd00:244:0:${index}::1/64 dev cni0 nodad`,
      `ip link add pod type veth peer name eth0 netns ${pod.pid}; ip link set pod master cni0 up`,
    ]);
    await script(pod, [
      `ip addr add 10.244.${index}.2/24 dev eth0; ip addr add fd00:244:0:${index}::2/64 dev eth0 nodad; ip link set eth0 up`,
      `ip route add default via 10.244.${index}.1; ip route add default via fd00:244:0:${index}::1`,
    ]);
    await pod.serve(`pod${index}`, 8080);
    return { namespace, pod, podIPs: [`10.244.${index}.2`, `fd00:244:0:${index}::2`] };
  }

  /** Node 1 in one network and node 2 in another, which a router joins that knows nothing of Pods. */
  async function startBehindRouter(): Promise<[TestNode, TestNode]> {
    const [first, second, router] = await Promise.all([startNode(1), startNode(2), pool.start()]);
    await script(router, ['echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding']);
    for (const [index, { namespace }] of [
      [1, first],
      [2, second],
    ] as const) {
      await script(router, [
        `ip link add net${index} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespace.pid}`,
        `ip addr add 10.${index}.0.1/24 dev net${index}; ip addr add fd00:${index}::1/64 dev net${index} nodad; ip link set net${index} up`,
      ]);
      await script(namespace, [
        `ip addr add 10.${index}.0.2/24 dev eth0; ip addr add fd00:${index}::2/64 dev eth0 nodad; ip link set eth0 up`,
        `ip route add default via 10.${index}.0.1; ip route add default via fd00:${index}::1`,
      ]);
    }
    return [first, second];
  }

  async function startNeighbours(): Promise<[TestNode, TestNode]> {
    const [first, second] = await Promise.all([startNode(1), startNode(2)]);
    await script(first.namespace, [`ip link add eth0 mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${second.namespace.pid}`]);
    for (const [index, { namespace }] of [
      [1, first],
      [2, second],
    ] as const)
      await script(namespace, [
        `ip addr add 10.0.0.${index}/24 dev eth0; ip addr add fd00::${index}/64 dev eth0 nodad; ip link set eth0 up`,
      ]);
    return [first, second];
  }

  async function run(mode: RouteMode, pair: readonly TestNode[], addressesOf: (index: number) => string[]): Promise<void> {
    const client = createClient(new ObjectServer().transport);
    for (const index of [1, 2]) {
      const addresses = addressesOf(index).map((address) => ({ type: 'InternalIP', address }));
      const podCIDRs = ranges(index);
      const [podCIDR = ''] = podCIDRs;
      await client(nodes).create({ metadata: { name: `node${index}` }, spec: { podCIDR, podCIDRs }, status: { addresses } });
    }
    const abort = new AbortController();
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const running = pair.map(async ({ namespace }, position) => {
      const informers = createInformerFactory({ ...parts, client });
      const [index, base] = [position + 1, join(directory, `${position}`)];
      const layout = { bridge: 'cni0', unmasqueradedCIDRs: ['10.244.0.0/16', 'fd00:244::/48'], pluginDirectory: '/usr/lib/cni' };
      const folders = { ipamDirectory: join(base, 'ipam'), configDirectory: join(base, 'net.d') };
      const network = createPodNetwork({ ...layout, ...folders }, { run: namespace.run });
      const ip = createIPProgram({ run: namespace.run });
      const node = { nodeName: `node${index}`, nodeIPs: addressesOf(index), onInstalled: async () => {} };
      const follow = (program: FollowedProgram, signal: AbortSignal) => {
        const args = ['-t', String(namespace.pid), '-n', program.command, ...program.args];
        return followProgram({ ...program, command: 'nsenter', args }, parts, signal);
      };
      const watch = createRouteWatch({ follow, clock: systemClock });
      await Promise.all([
        informers.run(abort.signal),
        watch.run(abort.signal),
        runPodNetwork({ ...parts, ...node, informers, mode, network, ip, watch }, abort.signal),
      ]);
    });
    stop = async () => {
      abort.abort();
      await Promise.all(running);
    };
  }

  /** From each Pod to the other, in both families, with the Pod's own address. */
  async function expectConnected([first, second]: readonly [TestNode, TestNode]): Promise<void> {
    const deadlineMs = systemClock.monotonicMs() + 45_000;
    for (const [from, to, name] of [
      [first, second, 'pod2'],
      [second, first, 'pod1'],
    ] as const) {
      for (const [index, address] of to.podIPs.entries()) {
        const expected = `${name} ${from.podIPs[index]}`;
        let answers: string[] = [];
        while (answers[0] !== expected) {
          assert.ok(systemClock.monotonicMs() < deadlineMs, `${answers.join()} in place of ${expected}`);
          answers = Object.keys(await from.pod.ask(address, 8080, { timeoutMs: 400 }));
        }
      }
    }
  }

  async function configuredMTU(position: number): Promise<unknown> {
    const text = await readFile(join(directory, `${position}`, 'net.d/10-kubets.conflist'), 'utf8');
    return (JSON.parse(text) as { plugins: { mtu?: number }[] }).plugins[0]?.mtu;
  }

  it('goes through tunnels where there is a router', async () => {
    const pair = await startBehindRouter();
    await run('vxlan', pair, (index) => [`10.${index}.0.2`, `fd00:${index}::2`]);
    await expectConnected(pair);
    assert.equal(await configuredMTU(0), mtu - 50);
    await pair[0].namespace.run('ip', ['link', 'delete', 'kubets.vxlan']);
    await expectConnected(pair);
  });

  it('goes through tunnels in IPv6, where nodes have nothing else', async () => {
    const pair = await startBehindRouter();
    await run('vxlan', pair, (index) => [`fd00:${index}::2`]);
    await expectConnected(pair);
    assert.equal(await configuredMTU(1), mtu - 70);
  });

  it('goes by routes between neighbours', async () => {
    const pair = await startNeighbours();
    await run('host-gw', pair, (index) => [`10.0.0.${index}`, `fd00::${index}`]);
    await expectConnected(pair);
    assert.equal(await configuredMTU(0), mtu);
    for (const change of [
      'ip route flush proto 107; ip -6 route flush proto 107',
      'ip link set eth0 down; ip link set eth0 up; ip addr add fd00::1/64 dev eth0 nodad',
      'ip addr del 10.0.0.1/24 dev eth0; ip addr add 10.0.0.1/24 dev eth0',
    ]) {
      await pair[0].namespace.run('sh', ['-c', change]);
      await expectConnected(pair);
    }
    // Traffic that leaves the cluster appears as the node's.
    await pair[1].namespace.serve('node2', 9090);
    assert.deepEqual(await pair[0].pod.ask('10.0.0.2', 9090), { 'node2 10.0.0.1': 1 });
    assert.deepEqual(await pair[0].pod.ask('fd00::2', 9090), { 'node2 fd00::1': 1 });
  });
});
