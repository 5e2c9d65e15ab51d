import assert from 'node:assert/strict';
import { createManualClock } from '../api/base/testing/manual-clock.ts';
import { endInTime } from './end-in-time.ts';

describe('the end of the agent', () => {
  const never = new Promise<never>(() => {});

  it('comes with the end of its parts', async () => {
    const { signal } = new AbortController();
    assert.equal(await endInTime(Promise.resolve(), signal, () => 1000, createManualClock()), true);
    await assert.rejects(
      endInTime(Promise.reject(new Error('no port')), signal, () => 1000, createManualClock()),
      /no port/,
    );
  });

  for (const isAbortedBefore of [true, false])
    it(`does not wait for a part that hangs, told to stop ${isAbortedBefore ? 'before' : 'after'} it began`, async () => {
      const clock = createManualClock();
      const abort = new AbortController();
      if (isAbortedBefore) abort.abort();
      let ended: boolean | undefined;
      const ending = endInTime(never, abort.signal, () => 1000, clock).then((value) => (ended = value));
      await clock.advance(isAbortedBefore ? 999 : 5000);
      assert.equal(ended, undefined);
      abort.abort();
      await clock.advance(1000);
      await ending;
      assert.equal(ended, false);
    });
});
