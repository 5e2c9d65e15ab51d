import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { splitWebSocketFrames } from './split-websocket-frames.ts';
import { encodeWebSocketFrame, websocketOpcodes } from './websocket-frames.ts';

const frame = (length: number) => encodeWebSocketFrame(websocketOpcodes.binary, new Uint8Array(length).fill(length & 0xff));

async function split(chunks: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of splitWebSocketFrames(Readable.from(chunks))) pieces.push(piece);
  return pieces;
}

describe('frames of a WebSocket', () => {
  const frames = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000, 2].map(frame);

  it('that come together are given one by one', async () => {
    assert.deepEqual(await split([Buffer.concat(frames)]), frames.map(Buffer.from));
  });

  it('that come in pieces of any length are never joined', async () => {
    for (const length of [1, 2, 3, 7, 1000, 65_537]) {
      const sent = length < 1000 ? frames.filter((one) => one.length < 1000) : frames;
      const all = Buffer.concat(sent);
      const chunks = Array.from({ length: Math.ceil(all.length / length) }, (_, index) =>
        all.subarray(index * length, (index + 1) * length),
      );
      const pieces = await split(chunks);
      assert.equal(Buffer.concat(pieces).equals(all), true);
      const ends = new Set<number>();
      let end = 0;
      for (const piece of pieces) ends.add((end += piece.length));
      end = 0;
      for (const one of sent) assert.equal(ends.has((end += one.length)), true, `pieces of ${length}: a frame does not end at ${end}`);
    }
  });

  it('that a backend breaks off are given as far as they came', async () => {
    assert.equal(Buffer.concat(await split([frame(300).subarray(0, 3)])).length, 3);
  });
});
