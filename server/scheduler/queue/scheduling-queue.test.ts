import assert from 'node:assert/strict';
import { createManualClock, type ManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { createSchedulingQueue, type SchedulingQueue } from './scheduling-queue.ts';

const pod = (name: string, priority = 0): Pod => ({
  metadata: { name, namespace: 'default', uid: name },
  spec: { priority, containers: [] },
});

describe('scheduling queue', () => {
  let clock: ManualClock;
  let queue: SchedulingQueue;
  beforeEach(() => {
    clock = createManualClock();
    queue = createSchedulingQueue({ clock, mayHelp: () => true, findGate: () => undefined });
  });
  afterEach(() => queue.close());
  const taken = async (count: number) => {
    const names: string[] = [];
    for (let number = 0; number < count; number++) names.push((await queue.next())?.pod.metadata?.name ?? '');
    return names;
  };

  it('hands out Pods by priority, then by age, then by arrival', async () => {
    for (const name of ['a', 'b']) queue.addOrUpdate(pod(name));
    await clock.advance(1000);
    for (const [name, priority] of [
      ['late', 0],
      ['high', 10],
      ['higher', 20],
      ['low', -1],
    ] as const)
      queue.addOrUpdate(pod(name, priority));
    assert.deepEqual(await taken(6), ['higher', 'high', 'a', 'b', 'late', 'low']);
  });
  it('goes by the present priority of a Pod', async () => {
    for (const name of ['a', 'b', 'c']) queue.addOrUpdate(pod(name));
    queue.addOrUpdate(pod('c', 5));
    assert.deepEqual(await taken(3), ['c', 'a', 'b']);
  });
  it('hands out no Pod that was removed', async () => {
    for (const name of ['a', 'b']) queue.addOrUpdate(pod(name));
    queue.remove(pod('a'));
    assert.deepEqual(await taken(1), ['b']);
    assert.deepEqual(queue.lengths(), { active: 0, backoff: 0, unschedulable: 0 });
  });
  it('takes time in proportion to the number of pending Pods', async function () {
    this.timeout(60_000);
    const timeOf = async (count: number) => {
      const startedMs = performance.now();
      for (let number = 0; number < count; number++) queue.addOrUpdate(pod(`p${count}-${number}`, number % 7));
      await taken(count);
      return performance.now() - startedMs;
    };
    await timeOf(2000); // compiles
    const [few, many] = [await timeOf(5000), await timeOf(40_000)];
    // A search through all of them for each would take 64 times as long.
    assert.ok(many < few * 30, `5,000 Pods took ${few.toFixed(0)} ms, 40,000 took ${many.toFixed(0)} ms`);
  });
});
