import assert from 'node:assert/strict';
import { createManualClock } from '../../api/base/manual-clock.ts';
import type { Pod } from '../../api/types/core-v1.ts';
import type { PodStateName } from './pod-workers/pod-state.ts';
import type { PodWorker } from './pod-workers/pod-worker.ts';
import { endPods } from './shut-down.ts';

describe('shutdown of a node', () => {
  it('ends Pods within their time, critical ones last', async () => {
    const clock = createManualClock();
    const said: string[] = [];
    const startMs = clock.monotonicMs();
    const workerOf = (name: string, spec: Partial<NonNullable<Pod['spec']>>, takesSeconds: number) => {
      let state: PodStateName = 'running';
      const pod: Pod = { metadata: { name }, spec: { containers: [], ...spec } };
      return {
        pod: () => pod,
        state: () => state,
        statusWritten: async () => {},
        end({ reason, graceSeconds }: Parameters<PodWorker['end']>[0]) {
          said.push(`${(clock.monotonicMs() - startMs) / 1000}s ${name} ${reason} ${graceSeconds}`);
          clock.setTimer(takesSeconds * 1000, () => {
            state = 'terminated';
          });
        },
      } as unknown as PodWorker;
    };
    const workers = [
      workerOf('critical', { priority: 2_000_001_000 }, 1),
      workerOf('quick', { terminationGracePeriodSeconds: 2 }, 1),
      workerOf('slow', { terminationGracePeriodSeconds: 60 }, 90),
    ];
    let isDone = false;
    const done = endPods(workers, { graceSeconds: 30, criticalGraceSeconds: 10 }, clock).then(() => {
      isDone = true;
    });
    await clock.advance(20_000);
    assert.equal(isDone, false);
    await clock.advance(5000);
    await done;
    assert.deepEqual(said, ['0s quick Terminated 2', '0s slow Terminated 20', '20s critical Terminated 10']);
  });
});
