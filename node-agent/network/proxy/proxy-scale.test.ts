import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { createConntrack } from '../../linux/nft/conntrack.ts';
import { createNFT } from '../../linux/nft/nft.ts';
import { createProxy, type ProxySync } from './proxy.ts';
import { createTestNetwork, networkTestsArePossible } from './testing/test-network.ts';

const count = 10_000;
const maxLoadMs = 10_000;
const maxChangeMs = 100;

type ServiceType = 'ClusterIP' | 'NodePort' | 'ClusterIP with affinity' | 'NodePort with affinity';

function service(index: number, described: ServiceType): Service {
  const type = described.startsWith('NodePort') ? 'NodePort' : 'ClusterIP';
  const clusterIP = `10.96.${index >> 8}.${index & 255}`;
  const port = { port: 80, ...(type === 'NodePort' ? { nodePort: 30_000 + index } : {}) };
  return {
    metadata: { namespace: 'default', name: `s${index}` },
    spec: { type, clusterIP, ports: [port], ...(described === type ? {} : { sessionAffinity: 'ClientIP' }) },
  };
}

function slice(index: number, generation = 0): EndpointSlice {
  const name = `s${index}`;
  const addresses = [0, 1].map((n) => index * 2 + n + generation * 50).map((n) => `10.${100 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`);
  return {
    metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], nodeName: 'other' })),
  };
}

/** Minutes on a busy machine, and it measures: `KUBETS_LONG=1 mocha node-agent/network/proxy/proxy-scale.test.ts`. */
describe(`proxy with ${count} Services of two endpoints`, function () {
  this.timeout(300_000);

  for (const type of ['ClusterIP', 'NodePort', 'ClusterIP with affinity', 'NodePort with affinity'] as const) {
    it(`${type}: loads in ${maxLoadMs} ms, follows a change in ${maxChangeMs} ms`, async function () {
      if (process.env['KUBETS_LONG'] === undefined || !(await networkTestsArePossible())) return this.skip();
      const network = await createTestNetwork();
      const abort = new AbortController();
      const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
      try {
        const client = createClient(new ObjectServer().transport);
        for (let index = 0; index < count; index++) {
          await client(services).create(service(index, type));
          await client(endpointSlices).create(slice(index));
        }
        const informers = createInformerFactory({ ...parts, client });
        const syncs: ProxySync[] = [];
        let onSync = Promise.withResolvers<void>();
        const proxy = createProxy({
          ...{ ...parts, informers, nodeName: 'node', families: ['IPv4'], nft: createNFT({ run: network.node.run }) },
          clusterCIDRs: ['10.244.0.0/16'],
          nodePortAddresses: async () => ['10.200.0.1'],
          conntrack: createConntrack({ run: network.node.run }),
          events: { event: (_regarding, _type, reason) => assert.fail(reason) },
          onSync(sync) {
            syncs.push(sync);
            onSync.resolve();
          },
        });
        const running = Promise.all([informers.run(abort.signal), proxy.run(abort.signal)]);
        await proxy.ready;
        const loadMs = syncs.reduce((sum, { durationMs }) => sum + durationMs, 0);
        const changesMs: number[] = [];
        for (let index = 0; index < 20; index++) {
          onSync = Promise.withResolvers();
          const { metadata } = await client(endpointSlices).get({ namespace: 'default', name: `s${index}-1` });
          await client(endpointSlices).update({ ...slice(index, 1), metadata });
          await onSync.promise;
          changesMs.push(syncs.at(-1)?.durationMs ?? Infinity);
        }
        const median = changesMs.sort((a, b) => a - b)[10] ?? Infinity;
        process.stdout.write(`      first load ${Math.round(loadMs)} ms, one change ${Math.round(median)} ms (median of 20)\n`);
        assert.ok(loadMs < maxLoadMs, `first load took ${loadMs} ms`);
        assert.ok(median < maxChangeMs, `a change took ${median} ms`);
        abort.abort();
        await running;
      } finally {
        abort.abort();
        await network.close();
      }
    });
  }
});
