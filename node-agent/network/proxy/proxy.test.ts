import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { ServiceSpec } from '../../../api/types/core-v1.ts';
import type { Endpoint } from '../../../api/types/discovery-v1.ts';
import { createConntrack } from '../../linux/nft/conntrack.ts';
import { createNFT, type NFT } from '../../linux/nft/nft.ts';
import { createProxy, type Proxy, type ProxySync } from './proxy.ts';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from './testing/test-network.ts';

const versionsOf = (objects: readonly { readonly metadata: { readonly resourceVersion?: string } }[]) =>
  objects
    .map(({ metadata }) => metadata.resourceVersion)
    .sort()
    .join();

/** The whole proxy on real kernels: packets go where Services say. */
describe('proxy', function () {
  this.timeout(60_000);
  let network: TestNetwork;
  let client: Client;
  let nft: NFT;
  let stop: () => Promise<void> = async () => {};
  let syncs: ProxySync[] = [];
  let hasCaughtUp: () => Promise<boolean>;
  let proxy: Proxy;
  const pod = { 0: '10.244.0.2', 1: '10.244.0.3' } as const;
  const server = new ObjectServer();

  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    network = await createTestNetwork();
    await Promise.all(network.pods.map((namespace, index) => namespace.serve(`pod${index}`, 8080)));
    client = createClient(server.transport);
    nft = createNFT({ run: network.node.run });
    stop = await startProxy();
  });

  after(async () => {
    try {
      await stop();
    } finally {
      await network?.close();
    }
  });

  async function startProxy(): Promise<() => Promise<void>> {
    const abort = new AbortController();
    const informers = createInformerFactory({ client, clock: systemClock, random: systemRandom, logger: silentLogger });
    syncs = [];
    proxy = createProxy({
      informers,
      nodeName: 'node',
      families: ['IPv4', 'IPv6'],
      nodePortAddresses: async () => ['10.200.0.1', 'fd00:200::1'],
      clusterCIDRs: ['10.244.0.0/16', 'fd00:244::/64'],
      events: { event: (regarding, _type, reason) => assert.fail(`${reason} ${regarding.name}`) },
      nft,
      conntrack: createConntrack({ run: network.node.run }),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      onSync: (sync) => syncs.push(sync),
    });
    const seen = {
      services: informers.informer(services).lister,
      slices: informers.informer(endpointSlices).lister,
      nodes: informers.informer(nodes).lister,
    };
    hasCaughtUp = async () => {
      const lists = [
        { known: (await client(services).list()).items, followed: seen.services.list() },
        { known: (await client(endpointSlices).list()).items, followed: seen.slices.list() },
        { known: (await client(nodes).list()).items, followed: seen.nodes.list() },
      ];
      const { serviceChanges, endpointChanges } = proxy.counts();
      return (
        lists.every(({ known, followed }) => versionsOf(known) === versionsOf(followed)) &&
        serviceChanges.pending + endpointChanges.pending === 0
      );
    };
    const running = Promise.all([informers.run(abort.signal), proxy.run(abort.signal)]);
    await Promise.race([proxy.ready, running]);
    assert.equal(proxy.health().synced, true);
    return async () => {
      abort.abort();
      await running;
    };
  }

  /** Resolves when the proxy has written all that follows from `change`, which are so many changes of the table at least. */
  async function synced(change: () => Promise<unknown>, changes = 1): Promise<void> {
    const start = syncs.length;
    await change();
    const isWritten = () => syncs.slice(start).reduce((sum, sync) => sum + sync.changes, 0) >= changes;
    const deadlineMs = systemClock.monotonicMs() + 15_000;
    while (!(await hasCaughtUp()) || !isWritten()) {
      if (systemClock.monotonicMs() > deadlineMs) throw new Error(`the proxy wrote ${JSON.stringify(syncs.slice(start))}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The kernel is told what to forget a moment after it has been told the rules. */
  async function eventually(ask: () => Promise<Record<string, number>>, expected: string): Promise<void> {
    let answers: Record<string, number> = {};
    for (let attempt = 0; attempt < 20 && answers[expected] !== 1; attempt++) answers = await ask();
    assert.deepEqual(answers, { [expected]: 1 });
  }

  const createService = (name: string, spec: ServiceSpec) =>
    client(services).create({ metadata: { namespace: 'default', name }, spec: { type: 'ClusterIP', ...spec } });
  const endpoint = (index: 0 | 1, conditions = {}): Endpoint => ({
    addresses: [pod[index]],
    conditions: { ready: true, ...conditions },
    nodeName: 'node',
  });
  const slice = (name: string, endpoints: Endpoint[], protocol: 'TCP' | 'UDP' = 'TCP') => ({
    metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4' as const,
    ports: [{ name: '', port: 8080, protocol }],
    endpoints,
  });
  const setEndpoints = async (name: string, endpoints: Endpoint[], protocol: 'TCP' | 'UDP' = 'TCP') => {
    const { metadata } = await client(endpointSlices).get({ namespace: 'default', name: `${name}-1` });
    await client(endpointSlices).update({ ...slice(name, endpoints, protocol), metadata });
  };

  it('spreads over endpoints and keeps the source of Pods', async () => {
    await synced(async () => {
      await createService('web', { clusterIP: '10.96.0.10', ports: [{ port: 80 }] });
      await client(endpointSlices).create(slice('web', [endpoint(0), endpoint(1)]));
    }, 5);
    const answers = await network.pods[0].ask('10.96.0.10', 80, { count: 60 });
    // To itself the Pod appears as the node, since answers from its own address would be dropped.
    assert.deepEqual(Object.keys(answers).sort(), ['pod0 10.244.0.1', 'pod1 10.244.0.2']);
    for (const count of Object.values(answers)) assert.ok(count >= 10, JSON.stringify(answers));
    const fromNode = await network.node.ask('10.96.0.10', 80, { count: 20 });
    assert.deepEqual(Object.keys(fromNode).sort(), ['pod0 10.244.0.1', 'pod1 10.244.0.1']);
  });

  it('refuses other ports of a ClusterIP', async () => {
    assert.deepEqual(await network.node.ask('10.96.0.10', 81), { ECONNREFUSED: 1 });
    assert.deepEqual(await network.pods[0].ask('10.96.0.10', 81), { ECONNREFUSED: 1 });
  });

  it('follows endpoints with a transaction of their own size, and refuses when none is left', async () => {
    await synced(() => setEndpoints('web', [endpoint(1)]), 4);
    assert.equal(syncs.at(-1)?.kind, 'partial');
    assert.deepEqual(await network.node.ask('10.96.0.10', 80, { count: 10 }), { 'pod1 10.244.0.1': 10 });
    await synced(() => setEndpoints('web', [endpoint(1, { ready: false })]), 3);
    assert.deepEqual(await network.node.ask('10.96.0.10', 80), { ECONNREFUSED: 1 });
    assert.deepEqual(await network.pods[0].ask('10.96.0.10', 80), { ECONNREFUSED: 1 });
    await synced(() => setEndpoints('web', [endpoint(1, { ready: false, serving: true, terminating: true })]), 3);
    assert.deepEqual(await network.pods[0].ask('10.96.0.10', 80), { 'pod1 10.244.0.2': 1 });
  });

  it('serves node ports and external addresses to outside by the node’s address', async () => {
    await synced(async () => {
      await createService('out', {
        type: 'NodePort',
        clusterIP: '10.96.0.11',
        externalIPs: ['192.0.2.1'],
        ports: [{ port: 80, nodePort: 30080 }],
      });
      await client(endpointSlices).create(slice('out', [endpoint(0)]));
    }, 7);
    assert.deepEqual(await network.outside.ask('10.200.0.1', 30080), { 'pod0 10.244.0.1': 1 });
    assert.deepEqual(await network.outside.ask('192.0.2.1', 80), { 'pod0 10.244.0.1': 1 });
    assert.deepEqual(await network.outside.ask('10.96.0.11', 80), { 'pod0 10.244.0.1': 1 });
    assert.deepEqual(await network.node.ask('10.200.0.1', 30080), { 'pod0 10.244.0.1': 1 });
    assert.deepEqual(await network.node.ask('127.0.0.1', 30080), { ECONNREFUSED: 1 });
    assert.deepEqual(await network.pods[1].ask('10.200.0.1', 30080), { 'pod0 10.244.0.1': 1 });
    const service = await client(services).get({ namespace: 'default', name: 'out' });
    await synced(() => client(services).update({ ...service, spec: { ...service.spec, externalTrafficPolicy: 'Local' } }), 2);
    assert.deepEqual(await network.outside.ask('10.200.0.1', 30080), { 'pod0 10.200.0.9': 1 });
    assert.deepEqual(await network.pods[1].ask('10.200.0.1', 30080), { 'pod0 10.244.0.3': 1 });
    await synced(() => setEndpoints('out', []), 7);
    assert.deepEqual(await network.outside.ask('10.200.0.1', 30080), { ECONNREFUSED: 1 });
  });

  it('lets only the given sources to a load balancer’s address', async () => {
    await synced(async () => {
      const ranges = { loadBalancerSourceRanges: ['10.244.0.0/16', '0.0.0.0/32'] };
      await createService('balanced', {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.15',
        ports: [{ port: 80 }],
        allocateLoadBalancerNodePorts: false,
        ...ranges,
      });
      const service = await client(services).get({ namespace: 'default', name: 'balanced' });
      await client(services).updateStatus({ ...service, status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } } });
      await client(endpointSlices).create(slice('balanced', [endpoint(0)]));
    }, 7);
    assert.deepEqual(await network.pods[1].ask('192.0.2.2', 80), { 'pod0 10.244.0.1': 1 });
    assert.deepEqual(await network.outside.ask('10.96.0.15', 80), { 'pod0 10.244.0.1': 1 });
    const refused = network.outside.run('timeout', ['1', 'busybox', 'nc', '192.0.2.2', '80']);
    await assert.rejects(refused, /timeout 1/);
  });

  it('sends to endpoints that are about to go while there is no other', async () => {
    const leaving: Endpoint = { ...endpoint(0), conditions: { ready: false, serving: true, terminating: true } };
    await synced(async () => {
      await createService('leaving', { clusterIP: '10.96.0.21', ports: [{ port: 80 }] });
      await client(endpointSlices).create(slice('leaving', [leaving]));
    });
    assert.deepEqual(await network.outside.ask('10.96.0.21', 80, { count: 3 }), { 'pod0 10.244.0.1': 3 });
    await synced(() => setEndpoints('leaving', [leaving, endpoint(1)]));
    assert.deepEqual(await network.outside.ask('10.96.0.21', 80, { count: 6 }), { 'pod1 10.244.0.1': 6 });
    await synced(() => setEndpoints('leaving', [{ ...leaving, conditions: { ready: false, serving: false, terminating: true } }]));
    assert.deepEqual(await network.outside.ask('10.96.0.21', 80), { ECONNREFUSED: 1 });
  });

  it('keeps a client with its endpoint', async () => {
    await synced(async () => {
      await createService('sticky', { clusterIP: '10.96.0.12', sessionAffinity: 'ClientIP', ports: [{ port: 80 }] });
      await client(endpointSlices).create(slice('sticky', [endpoint(0), endpoint(1)]));
    }, 8);
    await assertSticky('10.96.0.12', 80);
    await synced(async () => {
      const ports = [{ port: 80, nodePort: 30084 }];
      await createService('sticky-out', { type: 'NodePort', clusterIP: '10.96.0.17', sessionAffinity: 'ClientIP', ports });
      await client(endpointSlices).create(slice('sticky-out', [endpoint(0), endpoint(1)]));
    });
    await assertSticky('10.200.0.1', 30084);
    await synced(async () => {
      const ports = [{ port: 80, nodePort: 30085 }];
      const local = { externalTrafficPolicy: 'Local', type: 'NodePort', sessionAffinity: 'ClientIP' } as const;
      await createService('sticky-local', { ...local, clusterIP: '10.96.0.18', ports });
      await client(endpointSlices).create(slice('sticky-local', [endpoint(0), endpoint(1)]));
    });
    await assertSticky('10.200.0.1', 30085);
  });

  it('sends a client elsewhere when its endpoint is gone, and leaves it there', async () => {
    for (const [name, address, port] of [
      ['sticky', '10.96.0.12', 80],
      ['sticky-out', '10.200.0.1', 30084],
    ] as const) {
      const first = (await assertSticky(address, port)).startsWith('pod0') ? 0 : 1;
      await synced(() => setEndpoints(name, [endpoint(first === 0 ? 1 : 0)]));
      const second = await assertSticky(address, port);
      assert.match(second, first === 0 ? /^pod1/ : /^pod0/);
      await synced(() => setEndpoints(name, [endpoint(0), endpoint(1)]));
      assert.equal(await assertSticky(address, port), second);
    }
  });

  it('forgets a client after the time that the Service says', async () => {
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 1 } };
    await synced(async () => {
      const service: ServiceSpec = { clusterIP: '10.96.0.19', sessionAffinity: 'ClientIP', sessionAffinityConfig, ports: [{ port: 80 }] };
      await createService('forgetful', service);
      await client(endpointSlices).create(slice('forgetful', [endpoint(0), endpoint(1)]));
    });
    const [first = ''] = Object.keys(await network.outside.ask('10.96.0.19', 80));
    for (let attempt = 0; attempt < 30; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 1100));
      if ((await network.outside.ask('10.96.0.19', 80))[first] === undefined) return;
    }
    assert.fail('it is never sent elsewhere');
  });

  /** Twenty connections from outside go to one endpoint. Answers its name. */
  async function assertSticky(address: string, port: number): Promise<string> {
    const answers = await network.outside.ask(address, port, { count: 20 });
    assert.deepEqual(Object.values(answers), [20]);
    return Object.keys(answers)[0] ?? '';
  }

  it('forgets UDP connections to endpoints that are gone', async () => {
    await synced(async () => {
      await createService('udp', { clusterIP: '10.96.0.13', ports: [{ port: 53, protocol: 'UDP' }] });
      await client(endpointSlices).create(slice('udp', [endpoint(0)], 'UDP'));
    }, 4);
    const ask = () => network.pods[1].ask('10.96.0.13', 53, { protocol: 'udp', localPort: 24001 });
    assert.deepEqual(await ask(), { 'pod0 10.244.0.3': 1 });
    await synced(() => setEndpoints('udp', [endpoint(1)], 'UDP'));
    for (let attempt = 0; attempt < 20; attempt++) if ((await ask())['pod1 10.244.0.1'] === 1) return;
    assert.fail('datagrams still go to the endpoint that is gone');
  });

  it('forgets UDP connections of node ports, too', async () => {
    await synced(async () => {
      const ports = [{ port: 53, protocol: 'UDP' as const, nodePort: 30053 }];
      await createService('udpout', { type: 'NodePort', clusterIP: '10.96.0.16', ports });
    }, 2);
    const ask = (localPort: number) => network.outside.ask('10.200.0.1', 30053, { protocol: 'udp', localPort });
    // Begun while there was nobody to answer, and without an end since it is UDP.
    assert.deepEqual(await ask(24002), { ECONNREFUSED: 1 });
    await synced(() => client(endpointSlices).create(slice('udpout', [endpoint(0)], 'UDP')), 3);
    await eventually(() => ask(24002), 'pod0 10.244.0.1');
    await synced(() => setEndpoints('udpout', [endpoint(1)], 'UDP'), 2);
    await eventually(() => ask(24002), 'pod1 10.244.0.1');
  });

  it('forgets UDP connections in IPv6', async () => {
    const six = (index: 0 | 1): Endpoint => ({ ...endpoint(index), addresses: [`fd00:244::${index + 2}`] });
    const key = { namespace: 'default', name: 'udp6-1' };
    await synced(async () => {
      const ports = [{ port: 53, protocol: 'UDP' as const, nodePort: 30054 }];
      await createService('udp6', { type: 'NodePort', clusterIP: 'fd00:96::13', clusterIPs: ['fd00:96::13'], ports });
      await client(endpointSlices).create({ ...slice('udp6', [six(0)], 'UDP'), addressType: 'IPv6' });
    }, 5);
    const ask = (address: string, port: number) => network.outside.ask(address, port, { protocol: 'udp', localPort: 24003 });
    for (const [address, port] of [
      ['fd00:200::1', 30054],
      ['fd00:96::13', 53],
    ] as const)
      await eventually(() => ask(address, port), 'pod0 fd00:244::1');
    const { metadata } = await client(endpointSlices).get(key);
    await synced(() => client(endpointSlices).update({ ...slice('udp6', [six(1)], 'UDP'), metadata, addressType: 'IPv6' }), 2);
    await eventually(() => ask('fd00:200::1', 30054), 'pod1 fd00:244::1');
    await eventually(() => ask('fd00:96::13', 53), 'pod1 fd00:244::1');
  });

  it('serves both families of a Service alike', async () => {
    const six = (index: 0 | 1): Endpoint => ({ ...endpoint(index), addresses: [`fd00:244::${index + 2}`] });
    await synced(async () => {
      await createService('dual', {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.20',
        clusterIPs: ['10.96.0.20', 'fd00:96::20'],
        externalIPs: ['2001:db8::1'],
        ports: [{ port: 80, nodePort: 30082 }],
        loadBalancerSourceRanges: ['fd00:244::/64', '10.244.0.0/16'],
      });
      const service = await client(services).get({ namespace: 'default', name: 'dual' });
      await client(services).updateStatus({ ...service, status: { loadBalancer: { ingress: [{ ip: '2001:db8::2' }] } } });
      await client(endpointSlices).create(slice('dual', [endpoint(0)]));
      const metadata = { namespace: 'default', name: 'dual-6', labels: { 'kubernetes.io/service-name': 'dual' } };
      await client(endpointSlices).create({ ...slice('dual', [six(0), six(1)]), metadata, addressType: 'IPv6' });
    }, 15);
    const names = async (asked: Promise<Record<string, number>>) => Object.keys(await asked).sort();
    const ask = (from: 'pod' | 'node' | 'outside', address: string, port = 80) =>
      (from === 'pod' ? network.pods[0] : network[from]).ask(address, port, { count: 12, timeoutMs: 500 });
    assert.deepEqual(await names(ask('pod', '10.96.0.20')), ['pod0 10.244.0.1']);
    assert.deepEqual(await names(ask('pod', 'fd00:96::20')), ['pod0 fd00:244::1', 'pod1 fd00:244::2']);
    assert.deepEqual(await names(ask('node', 'fd00:96::20')), ['pod0 fd00:244::1', 'pod1 fd00:244::1']);
    assert.deepEqual(await names(ask('outside', 'fd00:96::20')), ['pod0 fd00:244::1', 'pod1 fd00:244::1']);
    assert.deepEqual(await names(ask('outside', 'fd00:200::1', 30082)), ['pod0 fd00:244::1', 'pod1 fd00:244::1']);
    assert.deepEqual(await names(ask('outside', '2001:db8::1')), ['pod0 fd00:244::1', 'pod1 fd00:244::1']);
    assert.deepEqual(await names(ask('pod', '2001:db8::2')), ['pod0 fd00:244::1', 'pod1 fd00:244::1']);
    assert.deepEqual(await names(network.outside.ask('2001:db8::2', 80, { timeoutMs: 500 })), ['timeout']);
    assert.deepEqual(await names(ask('node', 'fd00:96::20', 81)), ['ECONNREFUSED']);
    const dual = await client(services).get({ namespace: 'default', name: 'dual' });
    await synced(() => client(services).update({ ...dual, spec: { ...dual.spec, sessionAffinity: 'ClientIP' } }), 8);
    for (const address of ['fd00:96::20', '10.96.0.20']) assert.deepEqual(Object.values(await ask('outside', address)), [12]);
    const metadata = { namespace: 'default', name: 'dual-6' };
    const six6 = await client(endpointSlices).get(metadata);
    await synced(() => client(endpointSlices).update({ ...six6, endpoints: [] }), 5);
    assert.deepEqual(await names(ask('pod', 'fd00:96::20')), ['ECONNREFUSED']);
    assert.deepEqual(await names(ask('pod', '10.96.0.20')), ['pod0 10.244.0.1']);
  });

  it('sends to endpoints of the node’s zone, wherever that is', async () => {
    const inZone = (index: 0 | 1, name: string): Endpoint => ({ ...endpoint(index), hints: { forZones: [{ name }] } });
    await synced(async () => {
      await createService('near', { clusterIP: '10.96.0.21', trafficDistribution: 'PreferSameZone', ports: [{ port: 80 }] });
      await client(endpointSlices).create(slice('near', [inZone(0, 'a'), inZone(1, 'b')]));
    }, 4);
    const ask = async () => Object.keys(await network.node.ask('10.96.0.21', 80, { count: 12 })).sort();
    assert.deepEqual(await ask(), ['pod0 10.244.0.1', 'pod1 10.244.0.1']);
    const metadata = { name: 'node', labels: { 'topology.kubernetes.io/zone': 'a' } };
    await synced(() => client(nodes).create({ metadata }), 2);
    assert.deepEqual(await ask(), ['pod0 10.244.0.1']);
    const node = await client(nodes).get({ namespace: '', name: 'node' });
    const moved = { ...node.metadata, labels: { 'topology.kubernetes.io/zone': 'b' } };
    await synced(() => client(nodes).update({ ...node, metadata: moved }), 1);
    assert.deepEqual(await ask(), ['pod1 10.244.0.1']);
  });

  it('sends to the node itself, by policy Local', async () => {
    await network.node.serve('node', 10053, '10.200.0.1');
    await synced(async () => {
      await createService('dns', { clusterIP: '10.96.0.14', internalTrafficPolicy: 'Local', ports: [{ port: 53, protocol: 'UDP' }] });
      const endpoints = [
        { addresses: ['10.200.0.1'], nodeName: 'node' },
        { addresses: ['10.200.0.2'], nodeName: 'other' },
      ];
      await client(endpointSlices).create({ ...slice('dns', endpoints, 'UDP'), ports: [{ name: '', port: 10053, protocol: 'UDP' }] });
    }, 4);
    const ask = (from: 'node' | 'pod') =>
      (from === 'node' ? network.node : network.pods[0]).ask('10.96.0.14', 53, { protocol: 'udp', count: 10 });
    assert.deepEqual(await ask('pod'), { 'node 10.244.0.2': 10 });
    const [answer = '', ...others] = Object.keys(await ask('node'));
    assert.deepEqual(others, []);
    assert.match(answer, /^node (10\.200\.0\.1|10\.244\.0\.1|127\.0\.0\.1)$/);
  });

  it('adopts the table at the next start, with its connections and affinities, and changes only what has changed', async () => {
    const [before] = Object.keys(await network.outside.ask('10.96.0.12', 80));
    await stop();
    await setEndpoints('web', [endpoint(0), endpoint(1)]);
    await client(services).delete({ namespace: 'default', name: 'out' });
    stop = await startProxy();
    const [first] = syncs;
    assert.equal(first?.kind, 'full');
    assert.ok((first?.changes ?? 0) > 3 && (first?.changes ?? 99) < 15, `${first?.changes} changes`);
    assert.deepEqual(await network.outside.ask('10.96.0.12', 80, { count: 10 }), { [before ?? '']: 10 });
    assert.equal(Object.keys(await network.node.ask('10.96.0.10', 80, { count: 20 })).length, 2);
    assert.deepEqual(await network.outside.ask('10.200.0.1', 30080), { ECONNREFUSED: 1 });
    await stop();
    stop = await startProxy();
    assert.equal(syncs[0]?.changes, 0);
  });

  it('makes the table again when it is told that others have deleted it', async () => {
    await network.node.run('nft', ['flush ruleset']);
    for (const family of ['IPv4', 'IPv6'] as const) proxy.distrust(family);
    await eventually(() => network.node.ask('10.96.0.13', 53, { protocol: 'udp' }), 'pod1 10.244.0.1');
  });

  it('makes the table again when it has vanished, and replaces one that is not its own', async () => {
    await nft.apply('delete table ip kube-proxy\n');
    await assertRecovers();
    await stop();
    await nft.apply(
      'delete table ip kube-proxy\nadd table ip kube-proxy\nadd map ip kube-proxy service-ips { type ipv4_addr : verdict; }\n',
    );
    stop = await startProxy();
    assert.deepEqual(await network.node.ask('10.96.0.13', 53, { protocol: 'udp' }), { 'pod1 10.244.0.1': 1 });
  });

  /** The next change fails, since its table is gone; what follows is a full one. */
  async function assertRecovers(): Promise<void> {
    await synced(() => setEndpoints('web', [endpoint(1)]), 10);
    assert.deepEqual(
      syncs.slice(-2).map(({ kind, error }) => [kind, error === undefined]),
      [
        ['partial', false],
        ['full', true],
      ],
    );
    assert.deepEqual(await network.node.ask('10.96.0.10', 80, { count: 3 }), { 'pod1 10.244.0.1': 3 });
    assert.deepEqual(await network.node.ask('10.96.0.13', 53, { protocol: 'udp' }), { 'pod1 10.244.0.1': 1 });
  }
});
