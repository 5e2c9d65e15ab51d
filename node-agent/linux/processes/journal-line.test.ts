import assert from 'node:assert/strict';
import { formatJournalLine, isJournalStream } from './journal-line.ts';

describe('lines of the journal', () => {
  for (const [name, line, formatted] of [
    ['an error', { level: 50, time: 1, msg: 'no', error: { message: 'a\nb' } }, '<3>no {"error":{"message":"a\\nb"}}\n'],
    ['a warning', { level: 40, time: 1, msg: 'perhaps' }, '<4>perhaps\n'],
    ['information', { level: 30, msg: 'two\nlines' }, '<6>two lines\n'],
    ['what is only for debugging', { level: 20, msg: 'x', a: 1 }, '<7>x {"a":1}\n'],
    ['a level that is unknown', { msg: 'x' }, '<6>x\n'],
  ] as const) {
    it(`have a priority: ${name}`, () => assert.equal(formatJournalLine(`${JSON.stringify(line)}\n`), formatted));
  }

  it('are left as they are where they are no objects', () => {
    for (const line of ['text\n', '[1]\n', 'null\n']) assert.equal(formatJournalLine(line), line);
  });

  it('are for the descriptor that systemd has connected, not for others that inherit the variable', () => {
    const file = { dev: 8, ino: 42 };
    assert.equal(isJournalStream('8:42', file), true);
    assert.equal(isJournalStream('8:43', file), false);
    assert.equal(isJournalStream(undefined, file), false);
  });
});
