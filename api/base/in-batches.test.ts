import assert from 'node:assert/strict';
import { inBatches } from './in-batches.ts';

describe('inBatches', () => {
  it('lets so many callers go on at once, in their order, and goes on when more come', async () => {
    let pending: (() => void) | undefined;
    const next = inBatches(2, (run) => (pending = run));
    const seen: number[] = [];
    const call = (index: number) => void next().then(() => seen.push(index));
    const turn = async () => {
      const run = pending;
      pending = undefined;
      run?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let index = 0; index < 5; index++) call(index);
    await turn();
    assert.deepEqual(seen, [0, 1]);
    call(5);
    await turn();
    await turn();
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5]);
    assert.equal(pending, undefined);
    call(6);
    await turn();
    assert.deepEqual(seen.at(-1), 6);
  });
});
