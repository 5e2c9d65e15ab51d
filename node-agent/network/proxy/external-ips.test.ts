import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { serviceCIDRs } from '../../../api/resources/networking/v1/service-cidr.ts';
import type { ServiceSpec } from '../../../api/types/core-v1.ts';
import { createConntrack } from '../../linux/nft/conntrack.ts';
import { createNFT } from '../../linux/nft/nft.ts';
import { createProxy } from './proxy.ts';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from './testing/test-network.ts';
import { describeRefused, planExternalIPs } from './tracking/plan-external-ips.ts';
import type { ServicePortRules } from './tracking/service-port-rules.ts';

const node = '10.200.0.1';

/** A tenant's external IPs of a Service, on real kernels (CVE-2020-8554). */
describe('external IPs of Services', function () {
  this.timeout(60_000);
  let network: TestNetwork;
  let client: Client;
  let stop: () => Promise<void> = async () => {};
  const told: string[] = [];

  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    network = await createTestNetwork();
    await network.pods[0].serve('victim', 8080);
    await network.pods[1].serve('evil', 8080);
    await network.node.serve('kubelet', 10_250);
    client = createClient(new ObjectServer().transport);
    await client(serviceCIDRs).create({ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/16'] } });
    await client(nodes).create({ metadata: { name: 'node' }, status: { addresses: [{ type: 'InternalIP', address: node }] } });
  });
  after(async () => {
    await stop();
    await network?.close();
  });

  const serve = async (namespace: string, name: string, index: 0 | 1, spec: ServiceSpec) => {
    await client(services).create({ metadata: { namespace, name }, spec: { type: 'ClusterIP', ...spec } });
    await client(endpointSlices).create({
      metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: (spec.ports ?? []).map(({ name: port = '' }) => ({ name: port, port: 8080, protocol: 'TCP' })),
      endpoints: [{ addresses: [`10.244.0.${index + 2}`], conditions: { ready: true }, nodeName: 'node' }],
    });
  };
  /** Starts the proxy again, as after a restart of the agent: Services come in the order of their namespaces. */
  const restart = async () => {
    await stop();
    const abort = new AbortController();
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    const informers = createInformerFactory({ client, ...parts });
    const proxy = createProxy({
      ...{ ...parts, informers, nodeName: 'node', families: ['IPv4'], nodePortAddresses: async () => [node] },
      clusterCIDRs: ['10.244.0.0/16'],
      events: { event: (regarding, _type, reason, message) => void told.push(`${regarding.name} ${reason} ${message}`) },
      nft: createNFT({ run: network.node.run }),
      conntrack: createConntrack({ run: network.node.run }),
    });
    const running = Promise.all([informers.run(abort.signal), proxy.run(abort.signal)]);
    stop = async () => {
      abort.abort();
      await running;
    };
    await Promise.race([proxy.ready, running]);
  };
  const answerOf = async (address: string, port: number) => Object.keys(await network.pods[0].ask(address, port, { timeoutMs: 300 }))[0];
  /** The proxy follows changes a moment later. */
  const eventually = async (address: string, port: number, expected: RegExp) => {
    let answer: string | undefined;
    for (let attempt = 0; attempt < 30; attempt++) {
      answer = await answerOf(address, port);
      if (expected.test(answer ?? '')) return;
    }
    assert.match(answer ?? '', expected);
  };

  it('take over no cluster IP, node, Pod or address of another Service, whatever comes first', async () => {
    const ports = [{ port: 80 }];
    await serve('vic', 'web', 0, { clusterIP: '10.96.0.10', ports, externalIPs: ['192.0.2.7'] });
    const stolen = ['10.96.0.10', '10.96.0.99', node, '10.244.0.2', '192.0.2.7'];
    await serve('alice', 'evil', 1, {
      clusterIP: '10.96.0.66',
      ports: [...ports.map((port) => ({ ...port, name: 'a' })), { name: 'b', port: 81 }, { name: 'c', port: 10_250 }],
      externalIPs: [...stolen, '192.0.2.8'],
    });
    await restart();
    assert.match((await answerOf('10.96.0.10', 80)) ?? '', /^victim /);
    assert.equal(await answerOf('10.96.0.10', 81), 'ECONNREFUSED');
    assert.equal((await answerOf('10.96.0.99', 80))?.includes('evil'), false);
    assert.match((await answerOf(node, 10_250)) ?? '', /^kubelet /);
    assert.match((await answerOf('192.0.2.7', 80)) ?? '', /^victim /);
    // Its own, and a port that nobody else has.
    assert.match((await answerOf('192.0.2.8', 80)) ?? '', /^evil /);
    assert.match((await answerOf('192.0.2.7', 81)) ?? '', /^evil /);
    assert.match((await answerOf('10.96.0.66', 80)) ?? '', /^evil /);
    assert.deepEqual(told, [
      'evil ExternalIPNotServed external IP 10.96.0.10 is not served on this node: it is the cluster IP of a Service (and 4 more)',
    ]);
  });

  it('do not take over a cluster IP without endpoints, nor one that comes later', async () => {
    const { metadata, ...slice } = await client(endpointSlices).get({ namespace: 'vic', name: 'web-1' });
    await client(endpointSlices).update({ ...slice, metadata, endpoints: [] });
    await eventually('10.96.0.10', 80, /^ECONNREFUSED$/);
    await eventually('192.0.2.8', 80, /^evil /);
    await serve('zoe', 'late', 0, { clusterIP: '192.0.2.8', ports: [{ port: 80 }] }); // of a range that was added
    await eventually('192.0.2.8', 80, /^victim /);
    await client(services).delete({ namespace: 'zoe', name: 'late' });
    await eventually('192.0.2.8', 80, /^evil /);
  });

  it('follow the ranges of Services', async () => {
    await client(serviceCIDRs).create({ metadata: { name: 'more' }, spec: { cidrs: ['192.0.2.0/24'] } });
    await eventually('192.0.2.8', 80, /^(?!evil)/);
  });
});

describe('planExternalIPs', () => {
  const port = { externalIPs: Array.from({ length: 1000 }, (_, index) => `192.0.${index >> 8}.${index & 255}`), loadBalancerIPs: [] };
  const ports = Array.from({ length: 100 }, (_, index) => ({
    ...port,
    port: index,
    clusterEndpoints: [],
  })) as unknown as ServicePortRules[];

  it('bounds what one Service may take up', () => {
    const { ports: planned, refused } = planExternalIPs(ports, () => undefined);
    assert.equal(
      planned.every(({ externalIPs }) => externalIPs.length === 200),
      true,
    );
    assert.equal(refused.length, 800);
    assert.equal(
      describeRefused(refused),
      'external IP 192.0.0.200 is not served on this node: more than 200 of this Service are not served (and 799 more)',
    );
  });

  it('leaves what is fine as it is', () => {
    const [first] = ports;
    assert.equal(planExternalIPs(first ? [first] : [], () => undefined).ports[0], first);
  });
});
