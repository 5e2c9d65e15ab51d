import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { networkPolicies } from '../../../api/resources/networking/v1/network-policy.ts';
import { createNFT, type NFT } from '../../linux/nft/nft.ts';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from '../proxy/testing/test-network.ts';
import { createNetworkPolicies } from './network-policies.ts';
import { noSandboxes } from './testing/no-sandboxes.ts';

const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };

describe('NetworkPolicies before they are known', function () {
  this.timeout(60_000);
  const podOf = (name: string) => ({
    metadata: { name, namespace: 'one', uid: name, labels: { app: name } },
    spec: { nodeName: 'node', containers: [] },
  });

  /** An API server that does not answer before it is let. */
  function startPolicies(nft: NFT) {
    const server = new ObjectServer();
    const answering = Promise.withResolvers<void>();
    const late: Transport = async (request) => {
      await answering.promise;
      return await server.transport(request);
    };
    const informers = createInformerFactory({ client: createClient(late), ...parts });
    const policies = createNetworkPolicies({ ...parts, informers, nodeName: 'node', nft, ...noSandboxes });
    const abort = new AbortController();
    const running = Promise.all([policies.run(abort.signal), informers.run(abort.signal)]);
    return {
      policies,
      client: createClient(server.transport),
      answer: () => answering.resolve(),
      stop: async () => {
        abort.abort();
        answering.resolve();
        await running;
      },
    };
  }

  describe('on a real kernel', () => {
    let network: TestNetwork;
    before(async function () {
      if (!(await networkTestsArePossible())) return this.skip();
      network = await createTestNetwork();
      await Promise.all(network.pods.map((namespace, index) => namespace.serve(`pod${index}`, 8080)));
      await network.node.serve('node', noSandboxes.dns.port);
      await network.outside.serve('outside', 8080);
    });
    after(() => network?.close());

    const isReached = async (from: 0 | 1, to: string, port = 8080) => {
      const answers = Object.keys(await network.pods[from].ask(to, port, { timeoutMs: 400 }));
      return answers.some((answer) => /^(pod|outside|node)/.test(answer));
    };
    const until = async (from: 0 | 1, to: string, wanted: boolean, port?: number) => {
      for (let turn = 0; turn < 20; turn++) if ((await isReached(from, to, port)) === wanted) return;
      assert.fail(`${from} to ${to} should ${wanted ? '' : 'not '}get through`);
    };
    const addresses = ['10.244.0.3', 'fd00:244::3'];

    it('a Pod in which nothing has run reaches nothing, one that ran before goes on, and the policies open it', async () => {
      const { policies, client, answer, stop } = startPolicies(createNFT({ run: network.node.run }));
      await client(namespaces).create({ metadata: { name: 'one' } });
      const spec = { podSelector: { matchLabels: { app: 'new' } }, policyTypes: ['Egress'] };
      await client(networkPolicies).create({ metadata: { name: 'policy', namespace: 'one' }, spec });
      let isIsolated = false;
      const isolating = [
        policies.isolate(podOf('old'), ['10.244.0.2', 'fd00:244::2'], { isNew: false }),
        policies.isolate(podOf('new'), addresses, { isNew: true }).then(() => (isIsolated = true)),
      ];
      await until(0, '10.244.0.3', false);
      await until(1, '10.244.0.2', false);
      assert.deepEqual(await Promise.all([isReached(1, 'fd00:244::2'), isReached(1, '10.200.0.9'), isReached(0, 'fd00:244::3')]), [
        false,
        false,
        false,
      ]);
      assert.equal(await isReached(1, '10.244.0.1', noSandboxes.dns.port), false, 'cluster DNS forwards questions');
      assert.equal(await isReached(0, '10.200.0.9'), true);
      assert.equal(await isReached(0, '10.244.0.1', noSandboxes.dns.port), true);
      assert.equal(isIsolated, false);
      answer();
      await Promise.all(isolating);
      await until(0, '10.244.0.3', true);
      assert.deepEqual([await isReached(1, '10.244.0.2'), await isReached(1, '10.200.0.9')], [false, false]);
      assert.doesNotMatch(await network.node.run('nft', ['list tables']), /closed/);
      await stop();
    });

    it('what a former agent has closed is opened where there are no policies', async () => {
      const former = startPolicies(createNFT({ run: network.node.run }));
      const waiting = former.policies.isolate(podOf('new'), addresses, { isNew: true });
      await until(0, '10.244.0.3', false);
      const next = startPolicies(createNFT({ run: network.node.run }));
      next.answer();
      await until(0, '10.244.0.3', true);
      await Promise.all([next.stop(), former.stop()]);
      waiting.catch(() => undefined); // it waits for half a minute
    });
  });

  it('a Pod does not start where its rules cannot be written', async () => {
    const failing: NFT = { ...createNFT({ run: () => Promise.resolve('') }), apply: () => Promise.reject(new Error('no nft here')) };
    const { policies, stop } = startPolicies(failing);
    await assert.rejects(policies.isolate(podOf('new'), ['10.244.0.3'], { isNew: true }), { message: 'no nft here' });
    await stop().catch(() => undefined);
  });
});
