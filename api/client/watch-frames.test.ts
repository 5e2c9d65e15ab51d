import assert from 'node:assert/strict';
import { decodeWatchFrames } from './watch-frames.ts';

const events = [
  { type: 'ADDED', object: { metadata: { name: 'a', annotations: { x: 'ü€😀' } } } },
  { type: 'DELETED', object: { metadata: { name: 'b' } } },
];
const bytes = new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));

async function* inChunks(size: number, length = bytes.length) {
  for (let at = 0; at < length; at += size) yield bytes.subarray(at, Math.min(at + size, length));
}

describe('decodeWatchFrames', () => {
  it('finds the same events however the bytes are cut', async () => {
    for (const size of [1, 2, 3, 7, 50, 1000]) assert.deepEqual(await Array.fromAsync(decodeWatchFrames(inChunks(size))), events);
  });

  it('drops a last line that was cut off', async () => {
    assert.deepEqual(await Array.fromAsync(decodeWatchFrames(inChunks(10, bytes.length - 5))), events.slice(0, 1));
  });
});
