import assert from 'node:assert/strict';
import { encodeWebSocketFrame, WebSocketControlReader, websocketOpcodes } from './websocket-frames.ts';

/** A masked frame, as a client writes it. */
function masked(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = encodeWebSocketFrame(opcode, payload);
  const head = frame.slice(0, frame.length - payload.length);
  head[1] = (head[1] ?? 0) | 0x80;
  const mask = [1, 2, 3, 4];
  return Uint8Array.from([...head, ...mask, ...payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

describe('WebSocket frames', () => {
  const lengths: [number, number[]][] = [
    [0, [0x82, 0]],
    [125, [0x82, 125]],
    [126, [0x82, 126, 0, 126]],
    [65_535, [0x82, 126, 255, 255]],
    [65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ];
  for (const [length, head] of lengths) {
    it(`carry ${length} bytes`, () => {
      const frame = encodeWebSocketFrame(websocketOpcodes.binary, new Uint8Array(length));
      assert.deepEqual([...frame.subarray(0, head.length)], head);
      assert.equal(frame.length, head.length + length);
    });
  }
  for (const size of [1, 3, 7, 100_000]) {
    it(`of control are found among data that comes in pieces of ${size}`, () => {
      const stream = Buffer.concat([
        masked(websocketOpcodes.text, new Uint8Array(70_000)),
        masked(websocketOpcodes.ping, Uint8Array.of(7, 8, 9, 10, 11)),
        masked(websocketOpcodes.binary, new Uint8Array(300)),
        masked(websocketOpcodes.close, Uint8Array.of(3, 232)),
      ]);
      const reader = new WebSocketControlReader();
      const frames = [];
      for (let at = 0; at < stream.length; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
      assert.deepEqual(
        frames.map(({ opcode, payload }) => [opcode, ...payload]),
        [
          [websocketOpcodes.ping, 7, 8, 9, 10, 11],
          [websocketOpcodes.close, 3, 232],
        ],
      );
    });
  }
  it('must be masked', () => {
    assert.throws(() => new WebSocketControlReader().push(encodeWebSocketFrame(websocketOpcodes.ping, new Uint8Array(1))), /masked/);
  });
});
