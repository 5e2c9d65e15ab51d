import assert from 'node:assert/strict';
import { VersionReader } from './object-versions.ts';

describe('the resourceVersion of an answer', () => {
  const body = '{"kind":"K","metadata":{"name":"a","resourceVersion":"1234","uid":"u"},"spec":{"resourceVersion":"1"}}';
  it('is found in pieces of every size', () => {
    const data = Buffer.from(body);
    for (let size = 1; size <= data.length; size++) {
      const reader = new VersionReader();
      for (let at = 0; at < data.length; at += size) reader.read(data, at, Math.min(at + size, data.length));
      assert.equal(reader.take(), '1234');
      assert.equal(reader.take(), undefined);
    }
  });
});
