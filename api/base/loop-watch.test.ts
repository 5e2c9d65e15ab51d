import assert from 'node:assert/strict';
import type { Clock } from './clock.ts';
import { type LoopHold, watchLoop } from './loop-watch.ts';

/** A clock on which time also passes while something is done, as it does while the loop is held. */
function createBusyClock() {
  let now = 0;
  let due: { readonly at: number; fire(): void } | undefined;
  const clock: Clock = {
    nowMs: () => now,
    monotonicMs: () => now,
    setTimer(delayMs, fire) {
      due = { at: now + delayMs, fire };
      return { cancel: () => (due = undefined) };
    },
  };
  const fireDue = () => {
    const timer = due;
    if (!timer || timer.at > now) return;
    due = undefined;
    timer.fire();
  };
  return {
    clock,
    /** Time in which the loop is held. */
    work: (ms: number) => (now += ms),
    /** The loop goes on. */
    turn: fireDue,
    idle(ms: number) {
      for (const end = now + ms; now < end; now++) fireDue();
    },
  };
}

describe('the watch over the event loop', () => {
  it('tells how long it was held and by what that had begun', () => {
    const { clock, work, turn, idle } = createBusyClock();
    const holds: LoopHold[] = [];
    const watch = watchLoop({ clock, onHold: (hold) => holds.push(hold) });
    idle(100);
    watch.begins('request', () => 'quick');
    work(3);
    watch.begins('request', () => 'slow');
    work(150);
    watch.begins('controller', () => 'quick too');
    work(4);
    turn();
    idle(100);
    assert.equal(holds.length, 1);
    assert.deepEqual([holds[0]?.kind, holds[0]?.work], ['request', 'slow']);
    assert.ok((holds[0]?.ms ?? 0) >= 147 && (holds[0]?.ms ?? 0) <= 160, String(holds[0]?.ms));
  });

  it('does not blame what was done before', () => {
    const { clock, work, turn, idle } = createBusyClock();
    const holds: LoopHold[] = [];
    const watch = watchLoop({ clock, onHold: (hold) => holds.push(hold) });
    watch.begins('request', () => 'long ago');
    idle(100);
    work(60);
    turn();
    assert.deepEqual(
      holds.map(({ kind }) => kind),
      ['other'],
    );
  });

  it('tells nothing of short ones, and nothing once it has stopped', () => {
    const { clock, work, turn, idle } = createBusyClock();
    const watch = watchLoop({ clock, onHold: () => assert.fail('a hold') });
    work(25);
    turn();
    idle(50);
    watch.stop();
    work(500);
    turn();
  });
});
