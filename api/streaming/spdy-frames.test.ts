import assert from 'node:assert/strict';
import { constants, inflateSync } from 'node:zlib';
import { createSPDYDecoder, createSPDYEncoder } from './spdy-frames.ts';
import { parseSPDYHeaders } from './spdy-headers.ts';

describe('SPDY frames', () => {
  it('open streams with header blocks that are one zlib stream', () => {
    const encoder = createSPDYEncoder();
    const frames = [encoder.open(1, { streamType: 'error' }), encoder.open(3, { streamtype: 'data', port: '80' })];
    const decode = createSPDYDecoder();
    const blocks = frames.flatMap(decode).map((frame) => ('headerBlock' in frame ? frame.headerBlock : new Uint8Array(0)));
    const inflate = (upTo: number) => inflateSync(Buffer.concat(blocks.slice(0, upTo)), { finishFlush: constants.Z_SYNC_FLUSH });
    const first = inflate(1);
    assert.deepEqual([...parseSPDYHeaders(first)], [['streamtype', 'error']]);
    assert.deepEqual(
      [...parseSPDYHeaders(inflate(2).subarray(first.length))],
      [
        ['streamtype', 'data'],
        ['port', '80'],
      ],
    );
  });

  it('are read however they are cut', () => {
    const encoder = createSPDYEncoder();
    const big = new Uint8Array(150_000).fill(7);
    const settings = Buffer.from('8003000400000000', 'hex');
    const wire = Buffer.concat([...encoder.data(5, big), encoder.ping(9), settings, encoder.end(5), encoder.reset(7, 5), encoder.goaway()]);
    for (const size of [1, 7, 65_536, wire.length]) {
      const decode = createSPDYDecoder();
      const frames = [];
      for (let at = 0; at < wire.length; at += size) frames.push(...decode(wire.subarray(at, at + size)));
      const data = frames.filter((frame) => frame.kind === 'data');
      assert.deepEqual(Buffer.concat(data.map(({ payload }) => payload)), Buffer.from(big));
      assert.equal(data.at(-1)?.isLast, true);
      assert.deepEqual(
        frames.filter((frame) => frame.kind !== 'data'),
        [{ kind: 'ping', id: 9 }, { kind: 'reset', streamID: 7, status: 5 }, { kind: 'goaway' }],
      );
    }
  });

  it('must be version 3 and whole', () => {
    assert.throws(() => createSPDYDecoder()(Buffer.from('8002000100000000', 'hex')), { message: 'unsupported version 2' });
    assert.throws(() => createSPDYDecoder()(Buffer.from('800300030000000400000001', 'hex')), { message: 'frame is too short' });
    assert.throws(() => parseSPDYHeaders(Uint8Array.of(0, 0, 0, 1)), { message: 'header block is too short' });
  });
});
