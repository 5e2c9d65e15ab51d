import assert from 'node:assert/strict';
import { createWorkQueue } from './work-queue.ts';

describe('work queue of the operator', () => {
  it('has a key once, however often it was added', async () => {
    const queue = createWorkQueue();
    for (const key of ['a', 'b', 'a']) queue.add(key);
    assert.deepEqual([await queue.take(), await queue.take()], ['a', 'b']);
    queue.close();
    assert.equal(await queue.take(), undefined);
  });

  it('gives a key to one worker at a time, and again if it was added meanwhile', async () => {
    const queue = createWorkQueue();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('b');
    assert.equal(await queue.take(), 'b');
    queue.done('a');
    assert.equal(await queue.take(), 'a');
    queue.close();
  });

  it('adds a failing key later and later, until it is forgotten', async () => {
    const queue = createWorkQueue({ baseDelayMs: 1, maxDelayMs: 4 });
    assert.deepEqual(
      [1, 2, 3].map(() => queue.addRateLimited('a')),
      [1, 2, 3],
    );
    assert.equal(await queue.take(), 'a');
    queue.done('a');
    queue.forget('a');
    assert.equal(queue.addRateLimited('a'), 1);
    queue.close();
  });

  it('lets waiting workers go when it is closed', async () => {
    const queue = createWorkQueue();
    const waiting = queue.take();
    queue.close();
    assert.equal(await waiting, undefined);
  });
});
