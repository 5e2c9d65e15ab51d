import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { createNodeShutdown } from './node-shutdown.ts';
import { periodsOf } from './shutdown-periods.ts';

/** A node with one Pod that does not end. */
function stubbornNode() {
  const clock = createManualClock();
  const said: string[] = [];
  const worker = {
    pod: () => ({ metadata: { name: 'stubborn' }, spec: { containers: [] } }),
    state: () => 'running',
    statusWritten: async () => {},
    end: ({ graceSeconds }: { readonly graceSeconds: number }) => said.push(`ended within ${graceSeconds} s`),
    suspend: (graceSeconds: number) => said.push(`suspended within ${graceSeconds} s`),
  } as unknown as PodWorker;
  const shutdown = createNodeShutdown({ clock, logger: silentLogger, workers: () => [worker], nodeEvent: () => {}, onChange: () => {} });
  const watch = (promise: Promise<void>) => {
    const state = { isDone: false };
    void promise.then(() => (state.isDone = true));
    return state;
  };
  return { clock, said, shutdown, watch };
}

describe('the end of the Pods of a node', () => {
  it('takes no time a second time where the agent is stopped with the machine', async () => {
    const { clock, said, shutdown, watch } = stubbornNode();
    const withMachine = watch(shutdown.shutDown(periodsOf(30, 10)));
    await clock.advance(10_000);
    const withAgent = watch(shutdown.suspend(periodsOf(30, 10)));
    await clock.advance(5000);
    assert.deepEqual([withMachine.isDone, withAgent.isDone], [false, false]);
    await clock.advance(9100);
    assert.deepEqual([withMachine.isDone, withAgent.isDone], [true, true]);
    const later = watch(shutdown.suspend(periodsOf(30, 10)));
    await clock.advance(0);
    assert.equal(later.isDone, true);
    assert.deepEqual(said, ['ended within 20 s']);
  });

  it('begins anew after a shutdown that was called off', async () => {
    const { clock, said, shutdown, watch } = stubbornNode();
    const withMachine = watch(shutdown.shutDown(periodsOf(3, 1)));
    await clock.advance(6100);
    assert.equal(withMachine.isDone, true);
    shutdown.cancel();
    watch(shutdown.suspend(periodsOf(3, 1)));
    assert.deepEqual(said, ['ended within 2 s', 'suspended within 2 s']);
  });
});
