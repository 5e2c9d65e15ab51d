import assert from 'node:assert/strict';
import { gatherParts } from './gather-parts.ts';

const chunkBytes = 256 * 1024;

describe('parts of a list', () => {
  for (const sizes of [
    [],
    [1],
    [10, 20, 30],
    [100_000],
    [5, 100_000, 3],
    [60_000, 100_000, 65_537, 65_536, 1],
    Array.from({ length: 500 }, () => 5000),
  ])
    it(`are gathered as they are: ${sizes.length} parts, ${sizes.slice(0, 5).join(', ')}`, () => {
      const parts = sizes.map((size, index) => Buffer.alloc(size, `${index};`));
      const chunks = [...gatherParts(parts, chunkBytes)];
      assert.ok(Buffer.concat(chunks).equals(Buffer.concat(parts)));
      assert.ok(chunks.every(({ length }) => length > 0));
    });

  it('are few and large where they are small, and not copied where they are large', () => {
    const small = Array.from({ length: 1000 }, () => Buffer.alloc(1000));
    assert.deepEqual(
      [...gatherParts(small, chunkBytes)].map(({ length }) => length),
      [262_000, 262_000, 262_000, 214_000],
    );
    const large = Buffer.alloc(1_000_000);
    const [beginning, rest] = [...gatherParts([Buffer.from('{'), large], chunkBytes)];
    assert.equal(beginning?.length, 65_536);
    assert.equal(rest?.buffer, large.buffer);
  });
});
