import assert from 'node:assert/strict';
import { silentLogger } from '../base/logger.ts';
import { createManualClock } from '../base/testing/manual-clock.ts';
import { createSeededRandom } from '../base/testing/seeded-random.ts';
import { createClient } from './create-client.ts';
import { runLeaderElection } from './leader-election.ts';
import { ObjectServer } from './testing/object-server.ts';

describe('runLeaderElection', () => {
  const setUp = () => {
    const server = new ObjectServer();
    const clock = createManualClock();
    const leading = new Set<string>();
    const candidate = (identity: string) => {
      const stop = new AbortController();
      let isCut = false;
      let isHung = false;
      const ended = runLeaderElection({
        client: createClient((request) => {
          if (isCut) throw new Error('ECONNREFUSED');
          if (isHung) return new Promise(() => {});
          return server.transport(request);
        }),
        clock,
        random: createSeededRandom(7),
        logger: silentLogger,
        lease: { namespace: 'kube-system', name: 'kube-scheduler' },
        identity,
        signal: stop.signal,
        async lead(signal) {
          leading.add(identity);
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          leading.delete(identity);
        },
      });
      return { stop: () => stop.abort(), ended, cut: () => void (isCut = true), hang: () => void (isHung = true) };
    };
    const spec = () => server.objectsUnder('/apis/coordination.k8s.io/v1/')[0]?.['spec'] as Record<string, unknown>;
    return { clock, leading, candidate, spec };
  };

  it('lets one lead and the other take over as soon as it gives up', async () => {
    const { clock, leading, candidate, spec } = setUp();
    const a = candidate('a');
    await clock.advance(100);
    const b = candidate('b');
    await clock.advance(60_000);
    assert.deepEqual([...leading], ['a']);
    a.stop();
    await clock.advance(5000);
    await a.ended;
    assert.deepEqual([...leading], ['b']);
    assert.equal(spec()['holderIdentity'], 'b');
    assert.equal(spec()['leaseTransitions'], 1);
    b.stop();
    await clock.advance(1);
    await b.ended;
  });

  for (const fault of ['cut', 'hang'] as const)
    it(`ends leadership before another may begin when the leader's connection is ${fault === 'cut' ? 'cut' : 'hung'}`, async () => {
      const { clock, leading, candidate } = setUp();
      const a = candidate('a');
      await clock.advance(100);
      const b = candidate('b');
      await clock.advance(30_000);
      a[fault]();
      let most = 0;
      for (let step = 0; step < 40; step++) {
        await clock.advance(500);
        most = Math.max(most, leading.size);
        if (step === 20) assert.ok(!leading.has('a'), 'it leads for longer than the deadline of renewals');
      }
      assert.equal(most, 1);
      assert.deepEqual([...leading], ['b']);
      b.stop();
      await clock.advance(10_000);
      await Promise.all([a.ended, b.ended]);
    });
});
