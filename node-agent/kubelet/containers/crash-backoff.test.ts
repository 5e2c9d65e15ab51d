import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createBackoff } from './crash-backoff.ts';

describe('crash backoff', () => {
  it('doubles from 10 s to 5 min', async () => {
    const clock = createManualClock();
    const backoff = createBackoff(clock);
    const delays: number[] = [];
    for (let crash = 0; crash < 8; crash++) {
      const endedMs = clock.nowMs();
      const untilMs = backoff.waitUntil('k', endedMs);
      if (untilMs !== undefined) await clock.advance(untilMs - clock.nowMs());
      delays.push((untilMs ?? endedMs) - endedMs);
      backoff.next('k', endedMs);
      await clock.advance(1000);
    }
    assert.deepEqual(delays, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    assert.equal(backoff.waitUntil('other', clock.nowMs()), undefined);
  });

  it('forgives a container that ran for long', async () => {
    const clock = createManualClock();
    const backoff = createBackoff(clock);
    for (let crash = 0; crash < 4; crash++) backoff.next('k', clock.nowMs());
    await clock.advance(600_001);
    assert.equal(backoff.waitUntil('k', clock.nowMs()), undefined);
    backoff.next('k', clock.nowMs());
    assert.equal(backoff.delayMs('k'), 10_000);
  });
});
