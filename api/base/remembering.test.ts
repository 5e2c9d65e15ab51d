import assert from 'node:assert/strict';
import { remembering } from './remembering.ts';

describe('remembering', () => {
  const counted = (limits: { entries: number; length: number }) => {
    const asked: string[] = [];
    const ask = remembering((text) => {
      asked.push(text);
      if (text === 'bad') throw new Error('no');
      return { text };
    }, limits);
    return { ask, asked };
  };

  it('makes an answer once', () => {
    const { ask, asked } = counted({ entries: 2, length: 5 });
    assert.equal(ask('a'), ask('a'));
    assert.deepEqual(asked, ['a']);
  });

  it('keeps no more than it may, and nothing for long texts or of what has failed', () => {
    const { ask, asked } = counted({ entries: 2, length: 5 });
    for (const text of ['a', 'b', 'c', 'a', 'longer', 'longer']) assert.equal(ask(text).text, text);
    for (let attempt = 0; attempt < 2; attempt++) assert.throws(() => ask('bad'), /no/);
    assert.deepEqual(asked, ['a', 'b', 'c', 'a', 'longer', 'longer', 'bad', 'bad']);
  });
});
