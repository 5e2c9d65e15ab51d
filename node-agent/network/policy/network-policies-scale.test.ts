import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { networkPolicies } from '../../../api/resources/networking/v1/network-policy.ts';
import type { NetworkPolicy } from '../../../api/types/networking-v1.ts';
import { createNFT, type NFT } from '../../linux/nft/nft.ts';
import { createNamespacePool, networkTestsArePossible } from '../proxy/testing/test-network.ts';
import { createNetworkPolicies } from './network-policies.ts';
import { noSandboxes } from './testing/no-sandboxes.ts';

const [policyCount, podCount, localCount, namespaceCount] = [1000, 1000, 200, 20];
const maxLoadMs = 3000;
const maxChangeMs = 300;

const namespaceOf = (index: number) => `n${index % namespaceCount}`;
/** Each of the namespace's Pods is selected by one policy in each direction and by one for all, and has peers in others. */
function policy(index: number, port = 80): NetworkPolicy {
  const app = `a${index % podCount}`;
  const peers = [
    { podSelector: { matchLabels: { app: `a${(index + namespaceCount) % podCount}` } } },
    { namespaceSelector: { matchLabels: { team: `t${index % 7}` } } },
  ];
  const ports = [{ port }, { port: 8000, endPort: 8100 + index }];
  const rules =
    index % 2 === 0
      ? { ingress: [{ from: peers, ports }] }
      : { egress: [{ to: peers, ports }, { ports: [{ port: 53, protocol: 'UDP' as const }] }] };
  return {
    metadata: { name: `p${index}`, namespace: namespaceOf(index) },
    spec: { podSelector: { matchLabels: { app } }, policyTypes: [index % 2 === 0 ? 'Ingress' : 'Egress'], ...rules },
  };
}

/** A measurement: `KUBETS_LONG=1 mocha node-agent/network/policy/network-policies-scale.test.ts`. */
describe(`NetworkPolicies: ${policyCount} of them, ${podCount} Pods, ${localCount} of these here`, function () {
  this.timeout(120_000);

  it(`load in ${maxLoadMs} ms, a change takes ${maxChangeMs} ms`, async function () {
    if (process.env['KUBETS_LONG'] === undefined || !(await networkTestsArePossible())) return this.skip();
    const pool = createNamespacePool();
    const abort = new AbortController();
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    try {
      const node = await pool.start();
      const client = createClient(new ObjectServer().transport);
      for (let index = 0; index < namespaceCount; index++)
        await client(namespaces).create({ metadata: { name: `n${index}`, labels: { team: `t${index % 7}` } } });
      for (let index = 0; index < podCount; index++) {
        const podIP = `10.244.${index >> 8}.${index & 255}`;
        await client(pods).create({
          metadata: { name: `pod${index}`, namespace: namespaceOf(index), labels: { app: `a${index}` } },
          spec: { nodeName: index < localCount ? 'node' : 'other', containers: [] },
          status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
        });
      }
      for (let index = 0; index < policyCount; index++) await client(networkPolicies).create(policy(index));
      const kernel = createNFT({ run: node.run });
      let onApplied = Promise.withResolvers<void>();
      const nft: NFT = {
        ...kernel,
        async apply(commands) {
          await kernel.apply(commands);
          onApplied.resolve();
        },
      };
      const informers = createInformerFactory({ ...parts, client });
      const policies = createNetworkPolicies({ ...parts, informers, nodeName: 'node', nft, ...noSandboxes });
      const startMs = performance.now();
      const running = Promise.all([policies.run(abort.signal), informers.run(abort.signal)]);
      await onApplied.promise;
      const loadMs = performance.now() - startMs;
      const changesMs: number[] = [];
      for (let turn = 0; turn < 20; turn++) {
        onApplied = Promise.withResolvers();
        await new Promise((resolve) => setTimeout(resolve, 100));
        const changedMs = performance.now();
        const { metadata } = await client(networkPolicies).get({ namespace: namespaceOf(turn), name: `p${turn}` });
        await client(networkPolicies).update({ ...policy(turn, 81), metadata });
        await onApplied.promise;
        changesMs.push(performance.now() - changedMs);
      }
      const median = changesMs.sort((a, b) => a - b)[10] ?? Infinity;
      process.stdout.write(`      first load ${Math.round(loadMs)} ms, one change ${Math.round(median)} ms (median of 20)\n`);
      assert.ok(loadMs < maxLoadMs, `first load took ${loadMs} ms`);
      assert.ok(median < maxChangeMs, `a change took ${median} ms`);
      abort.abort();
      await running;
    } finally {
      abort.abort();
      await pool.close();
    }
  });
});
