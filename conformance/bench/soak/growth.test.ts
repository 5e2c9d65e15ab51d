import assert from 'node:assert/strict';
import { measureGrowth, type Sample } from './growth.ts';

const samples = (heldMiB: (second: number) => number): Sample[] =>
  Array.from({ length: 1800 }, (_, atSeconds) => ({ atSeconds, residentMiB: 0, heldMiB: heldMiB(atSeconds) }));
const options = { warmupSeconds: 600, windows: 4 };
/** Filled and collected every half minute, history every five minutes. */
const sawtooth = (second: number) => 100 + (second % 30) * 2 + (second % 300) / 10;

describe('growth of memory', () => {
  it('is told from a sawtooth and from the warm-up', () => {
    const { lows, grows } = measureGrowth(
      samples((second) => sawtooth(second) - Math.max(0, 600 - second) / 10),
      ({ heldMiB }) => heldMiB,
      options,
    );
    assert.deepEqual([lows, grows], [[100, 100, 100, 100], false]);
  });
  it('is seen in a slow leak under it', () => {
    const { growth, grows } = measureGrowth(
      samples((second) => sawtooth(second) + second / 60),
      ({ heldMiB }) => heldMiB,
      options,
    );
    assert.deepEqual([Math.round(growth), grows], [15, true]);
  });
  it('is not seen in one odd window', () => {
    const { grows } = measureGrowth(
      samples((second) => (second >= 1500 ? 160 : sawtooth(second))),
      ({ heldMiB }) => heldMiB,
      options,
    );
    assert.equal(grows, false);
  });
});
