import assert from 'node:assert/strict';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createWriteTurns, type WritePlace } from './write-turns.ts';

const pieceBytes = 256 * 1024;

/** Takes every piece at once, and says when it begins. */
async function write(place: WritePlace, pieces: number, begun: () => void): Promise<void> {
  for (let piece = 0; piece < pieces; piece++) {
    await place.next(pieceBytes);
    begun();
    await Promise.resolve();
    place.taken();
  }
  place.leave();
}

describe('turns of large answers', () => {
  it('go to those that began first, once all have had a little', async () => {
    const turns = createWriteTurns(createManualClock());
    const log: number[] = [];
    const ended: number[] = [];
    const places = Array.from({ length: 20 }, () => turns.enter());
    await Promise.all(
      places.map(async (place, index) => {
        await write(place, 160, () => log.push(index));
        ended.push(index);
      }),
    );
    // No more than what may be under way at once overtakes.
    for (const [at, index] of ended.entries()) assert.ok(Math.abs(at - index) <= 4, `ended ${ended.join(' ')}`);
    const lastBegun = log.indexOf(19);
    const firstEnded = log.lastIndexOf(0);
    assert.ok(lastBegun < firstEnded, `the last began at ${lastBegun}, the first ended at ${firstEnded}`);
    assert.ok(firstEnded < log.length / 2, `the first ended at ${firstEnded} of ${log.length}`);
  });

  it('do not wait for a client that does not read', async () => {
    const clock = createManualClock();
    const turns = createWriteTurns(clock);
    const deaf = Array.from({ length: 4 }, () => turns.enter());
    for (const place of deaf) assert.equal(place.next(pieceBytes), undefined);
    const reader = turns.enter();
    let hasRead = false;
    const reading = write(reader, 1, () => (hasRead = true));
    await clock.advance(100);
    assert.equal(hasRead, false);
    // No client has taken anything: it takes longer until these clients are held to be slow.
    await clock.advance(2000);
    await reading;
    assert.deepEqual(
      deaf.map(({ isSlow }) => isSlow),
      [true, true, true, true],
    );
    // From now on they need no turn, and take none from others.
    deaf[0]?.taken();
    assert.equal(deaf[0]?.next(pieceBytes), undefined);
    deaf[0]?.taken();
    assert.equal(deaf[0]?.isSlow, false);
  });

  it('are given up with the answer', async () => {
    const turns = createWriteTurns(createManualClock());
    const places = Array.from({ length: 5 }, () => turns.enter());
    const waits = places.map((place) => place.next(pieceBytes));
    assert.deepEqual(
      waits.map((wait) => wait === undefined),
      [true, true, true, true, false],
    );
    const [first] = places;
    const next = turns.enter();
    const turn = next.next(pieceBytes);
    // A waiting writer leaves, and one that writes: the last comes in.
    places[4]?.leave();
    await waits[4];
    first?.leave();
    await turn;
  });
});
