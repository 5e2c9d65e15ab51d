import assert from 'node:assert/strict';
import { planCalls } from './plan-calls.ts';

describe('calls of a conversion webhook', () => {
  const cases: readonly (readonly [what: string, sizes: readonly number[], counts: readonly number[]])[] = [
    ['nothing', [], []],
    ['a few', [10, 20], [2]],
    ['many small ones', Array.from({ length: 250 }, () => 1000), [100, 100, 50]],
    ['large ones', Array.from({ length: 100 }, () => 100_000), [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]],
    ['one that is larger than a call', [1000, 3_000_000, 1000], [1, 1, 1]],
  ];
  for (const [what, sizes, counts] of cases)
    it(`take ${what}`, () => {
      const calls = planCalls(sizes, (size) => size);
      assert.deepEqual(
        calls.map((call) => call.length),
        counts,
      );
      assert.deepEqual(calls.flat(), sizes);
    });
});
