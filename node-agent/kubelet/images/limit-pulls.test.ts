import assert from 'node:assert/strict';
import { limitPulls } from './limit-pulls.ts';

describe('limited pulls', () => {
  for (const limit of [1, 2, Number.POSITIVE_INFINITY]) {
    it(`${limit} at once`, async () => {
      const inTurn = limitPulls(limit);
      let running = 0;
      let most = 0;
      const order: number[] = [];
      const pull = (index: number) =>
        inTurn(async () => {
          most = Math.max(most, ++running);
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
          running--;
          order.push(index);
          if (index === 1) throw new Error('not found');
        });
      const results = await Promise.allSettled([0, 1, 2, 3].map(pull));
      assert.deepEqual([most, results.filter(({ status }) => status === 'rejected').length], [Math.min(limit, 4), 1]);
      assert.deepEqual(order, [0, 1, 2, 3]);
    });
  }
});
