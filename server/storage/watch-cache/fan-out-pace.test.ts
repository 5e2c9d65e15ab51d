import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { FanOutPace } from './fan-out-pace.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function setup(watches: number) {
  const manual = createManualClock();
  let spentMs = 0;
  const clock = { ...manual, monotonicMs: () => manual.monotonicMs() + spentMs };
  let passes = 0;
  const pace = new FanOutPace(clock, function* () {
    passes++;
    spentMs += 20;
    if (watches > 200) yield;
    spentMs += 20;
    return watches;
  });
  return { manual, pace, passes: () => passes };
}

describe('pace of the fan-out', () => {
  it('joins what comes during a long pass and right after it', async () => {
    const { manual, pace, passes } = setup(1000);
    pace.request();
    assert.equal(passes(), 1);
    pace.request();
    await nextTurn();
    await nextTurn();
    pace.request();
    pace.request();
    assert.equal(passes(), 1);
    await manual.advance(19);
    assert.equal(passes(), 1);
    await manual.advance(1);
    assert.equal(passes(), 2);
  });

  it('holds nothing back that comes after a pass is over, if nothing came during it', async () => {
    const { pace, passes } = setup(1000);
    for (let pass = 1; pass <= 3; pass++) {
      pace.request();
      assert.equal(passes(), pass);
      await nextTurn();
      await nextTurn();
    }
  });

  it('begins no pass before the one under way is over, and forgets nothing that comes meanwhile', async () => {
    const { manual, pace, passes } = setup(1000);
    pace.request();
    pace.request();
    await nextTurn();
    pace.request();
    await nextTurn();
    assert.equal(passes(), 1);
    await manual.advance(20);
    assert.equal(passes(), 2);
  });

  it('holds nothing back for few watches', async () => {
    const { pace, passes } = setup(10);
    pace.request();
    await nextTurn();
    pace.request();
    assert.equal(passes(), 2);
  });

  it('tells nobody any more once it is cancelled', async () => {
    const { manual, pace, passes } = setup(1000);
    pace.request();
    pace.request();
    await nextTurn();
    await nextTurn();
    pace.cancel();
    await manual.advance(1000);
    assert.equal(passes(), 1);
    assert.equal(manual.pendingTimers(), 0);
  });
});
