import assert from 'node:assert/strict';
import { sleep } from '../../../api/base/clock.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { networkPolicies } from '../../../api/resources/networking/v1/network-policy.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { createPortGuard } from '../cni/port-guard.ts';
import { linkLocalOf, parsePluginResult, type PodPort } from '../cni/pod-ports.ts';
import { createNFT } from '../../linux/nft/nft.ts';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from '../proxy/testing/test-network.ts';
import { createNetworkPolicies, type NetworkPolicies, type RunningSandbox } from './network-policies.ts';
import { renderPolicyTableRemoval } from './policy-table.ts';
import { noSandboxes } from './testing/no-sandboxes.ts';

const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
const dnsPort = noSandboxes.dns.port;

/** Attacks of a Pod on its neighbours at the bridge, on real kernels. */
describe('Pods at one bridge', function () {
  this.timeout(120_000);
  let network: TestNetwork;
  let ports: PodPort[];

  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    network = await createTestNetwork();
    await Promise.all(network.pods.map((namespace, index) => namespace.serve(`pod${index}`, 8080)));
    await network.node.serve('dns', dnsPort);
    ports = await Promise.all(
      network.pods.map(async (namespace, index): Promise<PodPort> => {
        const [link] = JSON.parse(await namespace.run('ip', ['-j', 'link', 'show', 'eth0'])) as { readonly address: string }[];
        const hardwareAddress = link?.address ?? '';
        const addresses = [`10.244.0.${index + 2}`, `fd00:244::${index + 2}`];
        return { sandboxID: `s${index}`, port: `pod${index}`, hardwareAddress, addresses, linkLocal: linkLocalOf(hardwareAddress) };
      }),
    );
  });
  after(() => network?.close());

  const until = async (what: string, ask: () => Promise<boolean>) => {
    for (let attempt = 0; attempt < 12; attempt++) if (await ask()) return;
    assert.fail(what);
  };
  const reaches = async (address: string, port = 8080, protocol: 'tcp' | 'udp' = 'tcp') => {
    const [answer = ''] = Object.keys(await network.pods[0].ask(address, port, { timeoutMs: 300, protocol }));
    return answer.startsWith('pod1') || answer.startsWith('dns');
  };
  const pause = (ms: number) => sleep(systemClock, ms);
  const python = (index: 0 | 1, program: string, ...args: string[]) => network.pods[index].run('python3', ['-c', program, ...args]);

  describe('with NetworkPolicies', () => {
    let client: Client;
    let policies: NetworkPolicies;
    let stop: () => Promise<void> = async () => {};
    let sandboxes: readonly RunningSandbox[] = [];
    const podOf = (index: number): Pod => ({
      metadata: { name: `pod${index}`, namespace: 'one', uid: `u${index}`, labels: { app: `pod${index}` } },
      spec: { nodeName: 'node', containers: [] },
      status: { phase: 'Running', podIP: `10.244.0.${index + 2}`, podIPs: [{ ip: `10.244.0.${index + 2}` }] },
    });
    const sandboxOf = (index: number) => {
      const { name = '', namespace = '', uid = '', labels = {} } = podOf(index).metadata;
      return { id: `s${index}`, name, namespace, uid, labels };
    };
    const start = async () => {
      const abort = new AbortController();
      const informers = createInformerFactory({ client, ...parts });
      policies = createNetworkPolicies({
        ...{ ...parts, informers, nodeName: 'node', nft: createNFT({ run: network.node.run }) },
        ...{ ...noSandboxes, ports: { list: async () => ports }, listSandboxes: async () => sandboxes },
      });
      const running = [policies.run(abort.signal), informers.run(abort.signal)];
      stop = async () => {
        abort.abort();
        await Promise.all(running);
      };
    };
    const deny = (type: 'Ingress' | 'Egress', app: string) =>
      client(networkPolicies).create({
        metadata: { name: `${type}-${app}`.toLowerCase(), namespace: 'one' },
        spec: { podSelector: { matchLabels: { app } }, policyTypes: [type] },
      });

    beforeEach(async () => {
      client = createClient(new ObjectServer().transport);
      await client(namespaces).create({ metadata: { name: 'one' } });
      for (const index of [0, 1]) await client(pods).create(podOf(index));
      sandboxes = [0, 1].map(sandboxOf);
      await start();
      await Promise.all([0, 1].map((index) => policies.isolate(podOf(index), [`10.244.0.${index + 2}`], { isNew: false })));
    });
    afterEach(async () => {
      await stop();
      await createNFT({ run: network.node.run }).apply(renderPolicyTableRemoval());
    });

    for (const [type, app] of [
      ['Ingress', 'pod1'],
      ['Egress', 'pod0'],
    ] as const) {
      it(`${type} is denied at every address of a Pod, that on the link included`, async () => {
        const onLink = `${ports[1]?.linkLocal}%eth0`;
        assert.equal(await reaches(onLink), true);
        await deny(type, app);
        await until('IPv4 stays open', async () => !(await reaches('10.244.0.3')));
        assert.equal(await reaches(onLink), false);
        await client(networkPolicies).delete({ namespace: 'one', name: `${type}-${app}`.toLowerCase() });
        await until('the link stays closed', () => reaches(onLink));
      });
    }

    it('broadcasts and multicasts come to no Pod that is isolated', async () => {
      const receiver = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 9999)); s.settimeout(3)
try: print(s.recvfrom(99)[0].decode())
except TimeoutError: print("nothing")`;
      const sender = `
import socket, sys, time
time.sleep(1)
for _ in range(3):
  s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
  s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1); s.sendto(b"heard", socket.getaddrinfo(sys.argv[1], 9999)[0][4])`;
      for (const [isDenied, expected] of [
        [false, 'heard'],
        [true, 'nothing'],
      ] as const) {
        if (isDenied) {
          await deny('Ingress', 'pod1');
          await until('IPv4 stays open', async () => !(await reaches('10.244.0.3')));
        }
        for (const address of ['10.244.0.255', 'ff02::1%eth0']) {
          const [heard] = await Promise.all([python(1, receiver), python(0, sender, address)]);
          assert.equal(heard.trim(), expected, address);
        }
      }
    });

    it('hold for a Pod that was deleted by force, until its sandbox is gone, whatever becomes of the agent', async () => {
      await deny('Ingress', 'pod1');
      await until('IPv4 stays open', async () => !(await reaches('10.244.0.3')));
      await client(pods).delete({ namespace: 'one', name: 'pod1' });
      await pause(500);
      assert.equal(await reaches('10.244.0.3'), false);
      await stop();
      await start();
      await pause(1000);
      assert.equal(await reaches('10.244.0.3'), false);
      policies.release('u1');
      await until('the address stays closed', () => reaches('10.244.0.3'));
    });

    it('hold for cluster DNS, which the node serves', async () => {
      const ask = () => reaches('10.244.0.1', dnsPort, 'udp');
      assert.equal(await ask(), true);
      await deny('Egress', 'pod0');
      await until('DNS stays open', async () => !(await ask()));
      assert.equal(await reaches('10.244.0.1', dnsPort, 'tcp'), false);
      const to = [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }];
      await client(networkPolicies).create({
        metadata: { name: 'dns', namespace: 'one' },
        spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to, ports: [{ protocol: 'UDP', port: 53 }] }] },
      });
      await until('DNS stays closed', ask);
      assert.equal(await reaches('10.244.0.1', dnsPort, 'tcp'), false);
    });
  });

  describe('with rules of what they may send', () => {
    /** Sends a frame with these bytes behind the addresses of hardware. */
    const frame = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0)); s.send(bytes.fromhex(sys.argv[1]))`;
    const hex = (hardwareAddress = '') => hardwareAddress.replaceAll(':', '');
    const mac = (index: number) => hex(ports[index]?.hardwareAddress);
    const v6 = (address: string) => `import ipaddress; print(ipaddress.ip_address("${address}").packed.hex())`;
    const packed = async (address: string) => (await python(0, v6(address))).trim();

    /** pod0 says that it has an address of the node. */
    const forgeARP = async () => {
      await network.pods[1].run('ip', ['neigh', 'flush', 'all']);
      await network.pods[1].ask('10.244.0.1', dnsPort);
      await pause(1300); // a neighbour that was just confirmed is not changed
      await python(0, frame, `${mac(1)}${mac(0)}08060001080006040002${mac(0)}0af40001${mac(1)}0af40003`);
      const shown = await network.pods[1].run('ip', ['neigh', 'show', '10.244.0.1']);
      return shown.includes(ports[0]?.hardwareAddress ?? '');
    };
    const icmpv6 = async (source: string, destination: string, body: string, destinationMAC: string) => {
      const program = `
import ipaddress, socket, struct, sys
src, dst = (ipaddress.ip_address(a).packed for a in sys.argv[1:3]); body = bytes.fromhex(sys.argv[3])
pseudo = src + dst + struct.pack("!IHBB", len(body), 0, 0, 58) + body + b"\\0" * (len(body) % 2)
total = sum(struct.unpack("!%dH" % (len(pseudo) // 2), pseudo))
while total >> 16: total = (total & 0xffff) + (total >> 16)
body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
packet = bytes.fromhex(sys.argv[4]) + b"\\x86\\xdd" + struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + src + dst + body
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0)); s.send(packet)`;
      await python(0, program, source, destination, body, `${destinationMAC}${mac(0)}`);
    };
    const forgeRouter = async () => {
      const prefix = `030440c0${'00000e10'.repeat(2)}00000000${await packed('2001:db8:bad::')}`;
      await icmpv6(ports[0]?.linkLocal ?? '', 'ff02::1', `86000000400007080000000000000000${prefix}`, '333300000001');
      await pause(300);
      return /2001:db8:bad|proto ra/.test(await network.pods[1].run('sh', ['-c', 'ip -6 route; ip -6 addr']));
    };
    const forgeNeighbour = async () => {
      await network.pods[1].run('ip', ['-6', 'neigh', 'flush', 'all']);
      await network.pods[1].ask('fd00:244::1', dnsPort);
      await pause(1300);
      const target = await packed('fd00:244::1');
      await icmpv6(ports[0]?.linkLocal ?? '', 'fd00:244::3', `8800000020000000${target}0201${mac(0)}`, mac(1));
      return (await network.pods[1].run('ip', ['-6', 'neigh', 'show', 'fd00:244::1'])).includes(ports[0]?.hardwareAddress ?? '');
    };
    const forgeSource = (address: string) => async () => {
      const receiver = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 9998)); s.settimeout(3)
try: print(s.recvfrom(99)[1][0])
except TimeoutError: print("nothing")`;
      const sender = `
import socket, struct, sys, time
time.sleep(1)
payload = b"x"; udp = struct.pack("!HHHH", 1, 9998, 9, 0) + payload
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 29, 1, 0, 64, 17, 0, socket.inet_aton(sys.argv[1]), socket.inet_aton("10.244.0.3"))
for _ in range(3): socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(ip + udp, ("10.244.0.3", 0))`;
      const [heard] = await Promise.all([python(1, receiver), python(0, sender, address)]);
      return heard.trim() === address;
    };
    const attacks: [string, () => Promise<boolean>][] = [
      ['ARP', forgeARP],
      ['advertisements of routers', forgeRouter],
      ['advertisements of neighbours', forgeNeighbour],
      ['addresses of others', forgeSource('10.244.0.99')],
    ];

    it('forge nothing', async () => {
      for (const [name, attack] of attacks) assert.equal(await attack(), true, `${name}: the attack works where nothing keeps it`);
      const guard = createPortGuard({ nft: createNFT({ run: network.node.run }), ports: { list: async () => ports }, ...parts });
      await guard.protect();
      const forget = [
        'ip neigh flush all; ip -6 neigh flush all; ip -6 route flush proto ra',
        "ip -6 addr show dev eth0 | grep -o '2001:db8:bad[^ ]*' | while read a; do ip addr del $a dev eth0; done",
        'ip -6 route del 2001:db8:bad::/64 || true',
      ];
      for (const namespace of network.pods) await namespace.run('sh', ['-c', forget.join('\n')]);
      for (const [name, attack] of attacks) assert.equal(await attack(), false, name);
    });

    it('go on to say what is true', async () => {
      for (const namespace of network.pods) await namespace.run('sh', ['-c', 'ip neigh flush all; ip -6 neigh flush all']);
      for (const address of ['10.244.0.3', 'fd00:244::3', `${ports[1]?.linkLocal}%eth0`])
        assert.equal(await reaches(address), true, address);
      assert.equal(await forgeSource('10.244.0.2')(), true);
      // Duplicate address detection, as of an address that comes up.
      await network.pods[0].run('sh', [
        '-c',
        'ip link set eth0 down; ip link set eth0 up; ip addr add fd00:244::2/64 dev eth0 nodad; ip route replace default via 10.244.0.1',
      ]);
      await until('the link does not come up', () => reaches('10.244.0.3'));
    });

    it('are those of the ports that there are', async () => {
      const [first] = ports;
      const list: PodPort[] = [...ports];
      const guard = createPortGuard({ nft: createNFT({ run: network.node.run }), ports: { list: async () => list }, ...parts });
      await guard.protect();
      list.shift();
      await guard.protect();
      const shown = await network.node.run('nft', ['list', 'table', 'bridge', 'kubets-pod-ports']);
      assert.equal(shown.includes(`from-${first?.port}`), false);
      assert.equal(shown.includes('from-pod1'), true);
      list.push({
        sandboxID: 'new',
        port: 'pod0',
        hardwareAddress: first?.hardwareAddress ?? '',
        addresses: ['10.244.0.9'],
        linkLocal: first?.linkLocal ?? '',
      });
      await guard.protect();
      assert.equal(await reaches('10.244.0.3'), false); // its address is another one by now
    });
  });
});

describe('what plugins have answered', () => {
  it('tells of the port of a sandbox', () => {
    const result = {
      interfaces: [
        { name: 'cni0', mac: '8a:00:00:00:00:01' },
        { name: 'veth1a2b', mac: '8a:00:00:00:00:02' },
        { name: 'eth0', mac: '2A:57:33:00:4d:01', sandbox: '/var/run/netns/x' },
      ],
      ips: [
        { interface: 2, address: '10.244.0.2/24' },
        { interface: 2, address: 'fd00:244:0::2/64' },
      ],
    };
    assert.deepEqual(parsePluginResult('id', JSON.stringify({ kind: 'cniCacheV1', result })), {
      ...{ sandboxID: 'id', port: 'veth1a2b', hardwareAddress: '2a:57:33:00:4d:01' },
      ...{ addresses: ['10.244.0.2', 'fd00:244::2'], linkLocal: 'fe80::2857:33ff:fe00:4d01' },
    });
    for (const text of ['', '{', '{}', JSON.stringify({ result: { ...result, interfaces: result.interfaces.slice(0, 2) } })])
      assert.equal(parsePluginResult('id', text), undefined);
  });
});
