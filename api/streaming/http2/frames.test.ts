import assert from 'node:assert/strict';
import { type Frame, FrameReader, frameType, HTTP2Error, pingFrame, readSettings, settingsFrame, windowUpdateFrame } from './frames.ts';

const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));

function readIn(bytes: Uint8Array, chunkSize: number): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader();
  for (let at = 0; at < bytes.length; at += chunkSize) reader.push(bytes.subarray(at, at + chunkSize), (frame) => frames.push(frame));
  return frames;
}

describe('HTTP/2 frames', () => {
  const opaque = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const stream = join(settingsFrame([[4, 2 ** 31 - 1]]), pingFrame(opaque, true), windowUpdateFrame(3, 65_536));

  for (const chunkSize of [1, 7, 20, 1000]) {
    it(`are cut from chunks of ${chunkSize} bytes`, () => {
      const frames = readIn(stream, chunkSize);
      assert.deepEqual(
        frames.map(({ type, flags, streamID, payload }) => [type, flags, streamID, payload.length]),
        [
          [frameType.settings, 0, 0, 6],
          [frameType.ping, 1, 0, 8],
          [frameType.windowUpdate, 0, 3, 4],
        ],
      );
      assert.deepEqual(readSettings(frames[0]?.payload ?? opaque), [[4, 2 ** 31 - 1]]);
      assert.deepEqual(frames[1]?.payload, opaque);
    });
  }

  it('lose their padding and priority, which flow control counts', () => {
    const padded = Uint8Array.of(0, 0, 6, frameType.data, 8, 0, 0, 0, 1, 2, 97, 98, 99, 0, 0);
    const [data] = readIn(padded, 100);
    assert.deepEqual([data?.payload, data?.size], [Uint8Array.of(97, 98, 99), 6]);
    const prioritized = Uint8Array.of(0, 0, 7, frameType.headers, 0x24, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0x82, 0x84);
    assert.deepEqual(readIn(prioritized, 100)[0]?.payload, Uint8Array.of(0x82, 0x84));
  });

  for (const [what, bytes] of [
    ['larger than allowed', Uint8Array.of(0, 0x40, 1, 0, 0, 0, 0, 0, 1)],
    ['with more padding than content', Uint8Array.of(0, 0, 2, frameType.data, 8, 0, 0, 0, 1, 9, 0)],
  ] as const) {
    it(`are refused if ${what}`, () => assert.throws(() => readIn(bytes, 100), HTTP2Error));
  }
});
