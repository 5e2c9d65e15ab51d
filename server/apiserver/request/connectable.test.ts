import assert from 'node:assert/strict';
import { createConnectable } from './connectable.ts';

describe('a function that is connected later', () => {
  it('rejects until then, and calls its target from then on', async () => {
    const { call, connect } = createConnectable<[number], string>('the kitchen');
    await assert.rejects(call(1), /the kitchen is not complete yet/);
    connect(async (number) => `dish ${number}`);
    assert.equal(await call(2), 'dish 2');
    assert.throws(() => connect(async () => 'another'), /connected already/);
  });
});
