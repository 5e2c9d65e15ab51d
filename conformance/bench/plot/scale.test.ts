import assert from 'node:assert/strict';
import { powersOfTwoAround, ticksUpTo } from './scale.ts';

describe('scales of plots', () => {
  const cases: readonly (readonly [number, readonly number[]])[] = [
    [10, [0, 2, 4, 6, 8, 10]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [1234, [0, 500, 1000, 1500]],
    [0, [0, 1]],
  ];
  for (const [max, expected] of cases) it(`go to ${max} in round steps`, () => assert.deepEqual(ticksUpTo(max), expected));

  it('of ratios are powers of two around all values and 1', () => {
    assert.deepEqual(powersOfTwoAround([3, 9]), [0.5, 1, 2, 4, 8, 16]);
    assert.deepEqual(powersOfTwoAround([0.2, 1]), [0.125, 0.25, 0.5, 1, 2]);
  });
});
