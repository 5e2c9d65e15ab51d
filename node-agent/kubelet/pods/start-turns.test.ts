import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createStartTurns } from './start-turns.ts';

describe('turns to start', () => {
  const set = (count: number) => {
    const clock = createManualClock();
    const turns = createStartTurns({ clock, count });
    const begun: string[] = [];
    const take = async (name: string, signal = new AbortController().signal) => {
      const end = await turns.take(signal);
      begun.push(name);
      return end;
    };
    return { clock, begun, take };
  };

  it('come one after another, in the order of asking', async () => {
    const { begun, take } = set(2);
    const [endFirst] = await Promise.all([take('a'), take('b')]);
    const third = take('c');
    const fourth = take('d');
    await Promise.resolve();
    assert.deepEqual(begun, ['a', 'b']);
    endFirst();
    endFirst(); // counts once
    (await third)();
    await fourth;
    assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
  });

  it('pass to others from one that takes long', async () => {
    const { clock, begun, take } = set(1);
    const endSlow = await take('slow');
    const other = take('other');
    await clock.advance(10_000);
    const endOther = await other;
    endSlow(); // over already: gives nobody a second turn
    const last = take('last');
    await Promise.resolve();
    assert.deepEqual(begun, ['slow', 'other']);
    endOther();
    await last;
  });

  it('are not waited for by a Pod that is to stop', async () => {
    const { begun, take } = set(1);
    const end = await take('a');
    const abort = new AbortController();
    const stopped = take('stopped', abort.signal);
    const next = take('b');
    abort.abort();
    (await stopped)();
    assert.deepEqual(begun, ['a', 'stopped']);
    end();
    await next;
    assert.deepEqual(begun, ['a', 'stopped', 'b']);
  });
});
