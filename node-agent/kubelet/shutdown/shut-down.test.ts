import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodStateName } from '../pods/pod-state.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { endPods, suspendPod, terminatePod } from './shut-down.ts';
import { periodsOf, type ShutdownPeriods } from './shutdown-periods.ts';

describe('shutdown of a node', () => {
  function pods() {
    const clock = createManualClock();
    const said: string[] = [];
    const startMs = clock.monotonicMs();
    /** A Pod that takes that long to end, after which the API takes that long to have its status. */
    const workerOf = (name: string, spec: Partial<NonNullable<Pod['spec']>>, takesSeconds: number, apiTakesSeconds = 0) => {
      const written = Promise.withResolvers<void>();
      let state: PodStateName = 'running';
      const pod: Pod = { metadata: { name }, spec: { containers: [], ...spec } };
      const end = (how: string, graceSeconds: number) => {
        said.push(`${(clock.monotonicMs() - startMs) / 1000}s ${name} ${how} ${graceSeconds}`);
        clock.setTimer(takesSeconds * 1000, () => {
          state = 'terminated';
          clock.setTimer(apiTakesSeconds * 1000, written.resolve);
        });
      };
      return {
        pod: () => pod,
        state: () => state,
        statusWritten: async () => {
          if (state === 'terminated') await written.promise;
        },
        end: ({ reason, graceSeconds }: Parameters<PodWorker['end']>[0]) => end(reason, graceSeconds),
        suspend: (graceSeconds: number) => end('suspended', graceSeconds),
      } as unknown as PodWorker;
    };
    return { clock, said, workerOf };
  }

  async function run(
    workers: readonly PodWorker[],
    periods: ShutdownPeriods,
    clock: ReturnType<typeof createManualClock>,
    end = terminatePod,
  ) {
    const state = { isDone: false };
    const done = endPods(workers, { periods, end, clock }).then(() => (state.isDone = true));
    return { state, done };
  }

  it('ends Pods within their time, critical ones last', async () => {
    const { clock, said, workerOf } = pods();
    const workers = [
      workerOf('critical', { priority: 2_000_001_000 }, 1),
      workerOf('quick', { terminationGracePeriodSeconds: 2 }, 1),
      workerOf('slow', { terminationGracePeriodSeconds: 60 }, 90),
    ];
    const { state, done } = await run(workers, periodsOf(30, 10), clock);
    await clock.advance(20_000);
    assert.equal(state.isDone, false);
    // The slow one is still given the last moments of the machine.
    await clock.advance(15_000);
    await done;
    assert.deepEqual(said, ['0s quick Terminated 2', '0s slow Terminated 20', '20s critical Terminated 10']);
  });

  it('goes by the periods of priorities, without waiting where there is nobody', async () => {
    const { clock, said, workerOf } = pods();
    const workers = [
      workerOf('middle', { priority: 150 }, 1),
      workerOf('negative', { priority: -5 }, 1),
      workerOf('highest', { priority: 2_000_000_000 }, 1),
    ];
    const periods = [
      { priority: 0, graceSeconds: 40 },
      { priority: 100, graceSeconds: 20 },
      { priority: 10_000, graceSeconds: 600 },
      { priority: 1_000_000, graceSeconds: 5 },
    ];
    const { done } = await run(workers, periods, clock);
    await clock.advance(10_000);
    await done;
    assert.deepEqual(said, ['0s negative Terminated 30', '1s middle Terminated 20', '2s highest Terminated 5']);
  });

  it('is bounded by the periods, whatever the Pods ask for', async () => {
    const { clock, workerOf } = pods();
    const { state, done } = await run([workerOf('forever', { terminationGracePeriodSeconds: 1e9 }, 1e6)], periodsOf(30, 10), clock);
    await clock.advance(23_900);
    assert.equal(state.isDone, false);
    await clock.advance(200);
    await done;
  });

  it('takes no time where Pods have none', async () => {
    const { clock, said, workerOf } = pods();
    const { done } = await run([workerOf('any', {}, 1)], [], clock);
    await clock.advance(0);
    await done;
    assert.deepEqual(said, []);
  });

  it('waits until a slow API server has the statuses of all Pods, the critical ones last', async () => {
    const { clock, said, workerOf } = pods();
    const workers = [workerOf('critical', { priority: 2_000_001_000 }, 1, 6), workerOf('other', {}, 1, 5)];
    const { state, done } = await run(workers, periodsOf(30, 10), clock);
    await clock.advance(12_500);
    assert.equal(state.isDone, false);
    await clock.advance(1000);
    await done;
    assert.deepEqual(said, ['0s other Terminated 20', '6s critical Terminated 10']);
  });

  it('waits for no API server that does not answer, beyond what the shutdown of the machine is delayed by', async () => {
    const { clock, said, workerOf } = pods();
    const workers = [workerOf('critical', { priority: 2_000_001_000 }, 1, 1e6), workerOf('other', {}, 1, 1e6)];
    const { state, done } = await run(workers, periodsOf(7, 3), clock);
    await clock.advance(10_900);
    assert.equal(state.isDone, false);
    await clock.advance(200);
    await done;
    assert.deepEqual(said, ['0s other Terminated 4', '4s critical Terminated 3']);
  });

  it('waits for the status of a Pod that had to be killed', async () => {
    const { clock, workerOf } = pods();
    const { state, done } = await run([workerOf('stubborn', {}, 21, 2)], periodsOf(30, 10), clock);
    await clock.advance(22_900);
    assert.equal(state.isDone, false);
    await clock.advance(200);
    await done;
  });

  it('suspends Pods in the same order', async () => {
    const { clock, said, workerOf } = pods();
    const workers = [workerOf('critical', { priority: 2_000_001_000 }, 1), workerOf('other', {}, 1)];
    const { done } = await run(workers, periodsOf(6, 2), clock, suspendPod);
    await clock.advance(5000);
    await done;
    assert.deepEqual(said, ['0s other suspended 4', '1s critical suspended 2']);
  });
});
