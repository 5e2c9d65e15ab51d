import assert from 'node:assert/strict';
import { createManualClock } from '../base/testing/manual-clock.ts';
import { createWorkQueue } from './work-queue.ts';

describe('WorkQueue', () => {
  it('hands out a key once however often it was added, in order', async () => {
    const queue = createWorkQueue({ clock: createManualClock() });
    for (const key of ['a', 'b', 'a']) queue.add(key);
    assert.equal(queue.length(), 2);
    assert.deepEqual([await queue.get(), await queue.get()], ['a', 'b']);
  });

  it('does not hand out a key that is being worked on, but again after it is done', async () => {
    const queue = createWorkQueue({ clock: createManualClock() });
    queue.add('a');
    assert.equal(await queue.get(), 'a');
    queue.add('a');
    assert.equal(queue.length(), 0);
    queue.done('a');
    assert.equal(await queue.get(), 'a');
    queue.done('a');
    assert.equal(queue.length(), 0);
  });

  it('delays, and keeps the earliest of several delays', async () => {
    const clock = createManualClock();
    const queue = createWorkQueue({ clock });
    queue.addAfter('a', 1000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 5000);
    await clock.advance(99);
    assert.equal(queue.length(), 0);
    await clock.advance(1);
    assert.equal(queue.length(), 1);
    assert.equal(clock.pendingTimers(), 0);
  });

  it('backs off exponentially per key, up to its limit, until forgotten', async () => {
    const clock = createManualClock();
    const queue = createWorkQueue({ clock, maxDelayMs: 30 });
    for (const delayMs of [5, 10, 20, 30, 30]) {
      queue.addRateLimited('a');
      await clock.advance(delayMs - 1);
      assert.equal(queue.length(), 0, `too early for ${delayMs}`);
      await clock.advance(1);
      assert.equal(await queue.get(), 'a');
      queue.done('a');
    }
    assert.equal(queue.requeues('a'), 5);
    queue.forget('a');
    assert.equal(queue.requeues('a'), 0);
  });

  it('keeps all keys together within the overall budget', async () => {
    const clock = createManualClock();
    const queue = createWorkQueue({ clock, burst: 2, keysPerSecond: 10 });
    for (const key of ['a', 'b', 'c', 'd']) queue.addRateLimited(key);
    await clock.advance(5);
    assert.equal(queue.length(), 2);
    await clock.advance(95);
    assert.equal(queue.length(), 3);
    await clock.advance(100);
    assert.equal(queue.length(), 4);
  });

  it('hands out what is ready and then ends when shut down', async () => {
    const clock = createManualClock();
    const queue = createWorkQueue({ clock });
    queue.add('a');
    queue.addAfter('b', 10);
    queue.shutDown();
    queue.add('c');
    assert.deepEqual([await queue.get(), await queue.get()], ['a', undefined]);
    assert.equal(clock.pendingTimers(), 0);
  });
});
