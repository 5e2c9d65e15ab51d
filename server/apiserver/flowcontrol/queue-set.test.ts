import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { type FlowObserver, type QueuedFlow, QueueSet, SeatHolder } from './queue-set.ts';
import { RetryAfter } from './retry-after.ts';
import { dealHand, hashFlow } from './shuffle-shard.ts';
import type { WorkEstimate } from './work-estimate.ts';

const oneSeat: WorkEstimate = { initialSeats: 1, finalSeats: 0, additionalLatencyMs: 0 };
const wide = (seats: number): WorkEstimate => ({ ...oneSeat, initialSeats: seats });

class Counts implements FlowObserver {
  requests = 0;
  seats = 0;
  waitingRequests = 0;
  rejections: string[] = [];
  waiting(requests: number): void {
    this.waitingRequests += requests;
  }
  executing(requests: number, seats: number): void {
    this.requests += requests;
    this.seats += seats;
  }
  enqueued(): void {}
  rejected(reason: string): void {
    this.rejections.push(reason);
  }
  notAccommodated(): void {}
}

function flowOf(...hand: number[]): QueuedFlow & { readonly observer: Counts } {
  return { observer: new Counts(), hand };
}

function seat(started: SeatHolder | string): SeatHolder {
  assert.ok(started instanceof SeatHolder, `not started: ${String(started)}`);
  return started;
}

describe('queue set', () => {
  const make = (concurrencyLimit: number, queues = 2, queueLengthLimit = 10) => {
    const clock = createManualClock();
    const set = new QueueSet(clock);
    set.configure({ kind: 'queue', queues, queueLengthLimit }, concurrencyLimit);
    return { clock, set };
  };

  it('seats while there are seats, then queues, then refuses', () => {
    const { set } = make(2, 1, 1);
    const flow = flowOf(0);
    const states = [1, 2, 3].map(() => seat(set.start(flow, oneSeat, undefined)));
    assert.deepEqual(
      states.map(({ state }) => state),
      ['executing', 'executing', 'waiting'],
    );
    assert.equal(set.start(flow, oneSeat, undefined), 'queue-full');
    let isSeated = false;
    const [first, , third] = states;
    if (third) third.seated = () => (isSeated = true);
    if (first) set.finish(first);
    assert.equal(isSeated, true);
    assert.deepEqual(flow.observer.rejections, ['queue-full']);
    assert.deepEqual([flow.observer.requests, flow.observer.seats, flow.observer.waitingRequests], [2, 2, 0]);
  });

  it('refuses at once where there are no queues, and never where all is exempt', () => {
    const set = new QueueSet(createManualClock());
    set.configure({ kind: 'reject' }, 1);
    const flow = flowOf();
    const first = seat(set.start(flow, oneSeat, undefined));
    assert.equal(set.start(flow, oneSeat, undefined), 'concurrency-limit');
    set.finish(first);
    seat(set.start(flow, oneSeat, undefined));
    set.configure({ kind: 'exempt' }, 0);
    for (let count = 0; count < 100; count++) assert.equal(seat(set.start(flow, oneSeat, undefined)).state, 'executing');
  });

  it('gives a request that is wider than the level everything, alone', () => {
    const { set } = make(2, 1);
    const flow = flowOf(0);
    const narrow = seat(set.start(flow, oneSeat, undefined));
    const broad = seat(set.start(flow, wide(10), undefined));
    const after = seat(set.start(flow, oneSeat, undefined));
    assert.deepEqual([broad.state, after.state], ['waiting', 'waiting']);
    set.finish(narrow);
    assert.deepEqual([broad.state, after.state, set.seatsInUse], ['executing', 'waiting', 10]);
    set.finish(broad);
    assert.equal(after.state, 'executing');
  });

  it('keeps the seats of a write until its watchers have been told', async () => {
    const { clock, set } = make(1, 1);
    const flow = flowOf(0);
    const write = seat(set.start(flow, { initialSeats: 1, finalSeats: 1, additionalLatencyMs: 5 }, undefined));
    const next = seat(set.start(flow, oneSeat, undefined));
    set.finish(write);
    assert.equal(next.state, 'waiting');
    await clock.advance(5);
    assert.equal(next.state, 'executing');
  });

  it('lets who gives up leave', () => {
    const { set } = make(1, 1);
    const flow = flowOf(0);
    const first = seat(set.start(flow, oneSeat, undefined));
    const second = seat(set.start(flow, oneSeat, undefined));
    const third = seat(set.start(flow, oneSeat, undefined));
    set.cancel(second, true);
    set.finish(first);
    assert.equal(third.state, 'executing');
    assert.deepEqual(flow.observer.rejections, ['time-out']);
    assert.deepEqual([set.dump().timedOut, set.dump().cancelled, set.dump().waitingRequests], [1, 1, 0]);
  });

  it('serves a flow with few requests before the backlog of one with many', async () => {
    const { clock, set } = make(2, 2, 1000);
    const noisy = flowOf(0);
    const quiet = flowOf(1);
    const running = new Set<SeatHolder>();
    const waiting = Array.from({ length: 500 }, () => seat(set.start(noisy, oneSeat, undefined)));
    await clock.advance(1000);
    const asked = seat(set.start(quiet, oneSeat, undefined));
    let finished = 0;
    while (asked.state !== 'executing') {
      for (const holder of waiting) if (holder.state === 'executing') running.add(holder);
      const [next] = running;
      assert.ok(next && finished < 5, `the quiet flow still waits after ${finished} requests of the noisy one`);
      running.delete(next);
      waiting.splice(waiting.indexOf(next), 1);
      set.finish(next);
      finished++;
    }
  });

  it('gives two busy flows the same time whatever their requests cost', async () => {
    const { clock, set } = make(4, 2, 1000);
    const flows = [
      { flow: flowOf(0), ms: 10, served: 0, running: new Map<SeatHolder, number>() },
      { flow: flowOf(1), ms: 40, served: 0, running: new Map<SeatHolder, number>() },
    ];
    const waiting: { holder: SeatHolder; of: (typeof flows)[number] }[] = [];
    for (let tick = 0; tick < 2000; tick++) {
      for (const of of flows) {
        while (waiting.filter((one) => one.of === of).length < 6)
          waiting.push({ holder: seat(set.start(of.flow, oneSeat, undefined)), of });
        for (const [holder, until] of [...of.running]) {
          if (until > tick) continue;
          of.running.delete(holder);
          of.served += of.ms;
          set.finish(holder);
        }
      }
      for (const one of waiting.filter(({ holder }) => holder.state === 'executing')) {
        one.of.running.set(one.holder, tick + one.of.ms);
        waiting.splice(waiting.indexOf(one), 1);
      }
      await clock.advance(1);
    }
    const [short, long] = flows.map(({ served }) => served);
    const ratio = (short ?? 0) / (long ?? 1);
    assert.ok(ratio > 0.8 && ratio < 1.25, `${short} ms to one, ${long} ms to the other`);
  });

  it('never loses a seat, whatever happens', () => {
    const step = fc.record({
      queue: fc.nat(3),
      seats: fc.integer({ min: 1, max: 5 }),
      end: fc.boolean(),
      limit: fc.option(fc.integer({ min: 0, max: 8 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { set } = make(4, 4, 3);
        const holders: SeatHolder[] = [];
        const flows = [0, 1, 2, 3].map((index) => flowOf(index, (index + 1) % 4));
        for (const { queue, seats, end, limit } of steps) {
          const flow = flows[queue];
          if (limit !== null) set.configure({ kind: 'queue', queues: 1 + (limit % 4), queueLengthLimit: 3 }, limit);
          else if (end) {
            const holder = holders.splice(queue % Math.max(1, holders.length), 1)[0];
            if (holder?.state === 'executing') set.finish(holder);
            else if (holder) set.cancel(holder, false);
          } else if (flow) {
            const started = set.start(flow, wide(seats), undefined);
            if (started instanceof SeatHolder) holders.push(started);
          }
          const executing = holders.filter(({ state }) => state === 'executing');
          assert.equal(
            set.seatsInUse,
            executing.reduce((sum, holder) => sum + holder.seats, 0),
          );
          assert.equal(set.dump().waitingRequests, holders.length - executing.length);
        }
        set.configure({ kind: 'queue', queues: 4, queueLengthLimit: 3 }, 100);
        for (const holder of holders) set.finish(holder);
        assert.equal(set.isIdle, true);
        assert.equal(set.seatsInUse, 0);
      }),
    );
  });
});

describe('shuffle sharding', () => {
  it('deals different queues, the same ones each time', () => {
    for (const user of ['a', 'b', 'c', 'd']) {
      const hand = dealHand(hashFlow('global-default', user), 128, 6);
      assert.equal(new Set(hand).size, 6);
      assert.ok(hand.every((queue) => queue >= 0 && queue < 128));
      assert.deepEqual(hand, dealHand(hashFlow('global-default', user), 128, 6));
    }
  });
  it('uses all queues alike', () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let user = 0; user < 4000; user++)
      for (const queue of dealHand(hashFlow('x', `u${user}`), 16, 4)) counts[queue] = (counts[queue] ?? 0) + 1;
    assert.ok(
      counts.every((count) => count > 850 && count < 1150),
      counts.join(' '),
    );
  });
});

describe('Retry-After', () => {
  it('grows while many are turned away, and shrinks again', () => {
    const retryAfter = new RetryAfter();
    const drop = (second: number, count: number) => {
      for (let index = 0; index < count; index++) retryAfter.noteDropped(second * 1000);
    };
    const seen: number[] = [];
    for (let second = 100; second < 110; second++) {
      drop(second, 100);
      seen.push(retryAfter.seconds);
    }
    assert.deepEqual([seen[0], seen[1]], [1, 2]);
    assert.equal(retryAfter.seconds, 8);
    for (let second = 200; second < 300; second += 10) drop(second, 1);
    assert.equal(retryAfter.seconds, 1);
  });
  it('ends at half a minute', () => {
    const retryAfter = new RetryAfter();
    for (let second = 100; second < 400; second++) for (let index = 0; index < 1000; index++) retryAfter.noteDropped(second * 1000);
    assert.equal(retryAfter.seconds, 32);
  });
});
