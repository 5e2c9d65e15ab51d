import assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultPriorityLevels } from '../bootstrap/flow-control.ts';
import { allocateSeats } from './allocate-seats.ts';
import { type LevelDemand, planBorrowing, planLimits } from './plan-limits.ts';
import { SeatDemand, smoothDemand } from './seat-demand.ts';

describe('limits of the default priority levels', () => {
  const limits = planLimits(defaultPriorityLevels, 600);
  // The values that a v1.36 kube-apiserver with default flags shows in apiserver_flowcontrol_*_limit_seats.
  const table: [name: string, nominal: number, min: number, max: number, maxSeats: number | undefined][] = [
    ['exempt', 0, 0, 600, undefined],
    ['catch-all', 13, 13, 613, undefined],
    ['system', 74, 50, 674, 12],
    ['node-high', 98, 73, 698, 15],
    ['leader-election', 25, 25, 625, 4],
    ['workload-high', 98, 49, 698, 15],
    ['workload-low', 245, 24, 845, 37],
    ['global-default', 49, 24, 649, 8],
  ];
  for (const [name, nominal, min, max, maxSeats] of table) {
    it(name, () => assert.deepEqual(limits.get(name), { nominal, min, max, maxSeats }));
  }
});

describe('allocation of seats', () => {
  const claim = (lowerBound: number, target: number, upperBound: number) => ({ lowerBound, target, upperBound });
  it('is in proportion where no bound counts', () =>
    assert.deepEqual(allocateSeats(30, [claim(0, 1, 100), claim(0, 2, 100)])?.seats, [10, 20]));
  it('keeps to bounds, and divides the rest', () => {
    const { seats = [] } = allocateSeats(100, [claim(50, 50, 60), claim(0, 10, 100), claim(0, 10, 15)]) ?? {};
    assert.deepEqual(seats.map(Math.round), [60, 25, 15]);
  });
  it('knows what cannot be', () => {
    assert.equal(allocateSeats(5, [claim(10, 10, 20)]), undefined);
    assert.equal(allocateSeats(50, [claim(10, 10, 20)]), undefined);
  });
  it('hands out exactly what there is, within the bounds, at one fraction for all', () => {
    const claims = fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }))
        .map(([low, more, most]) => claim(low, low + more, low + most)),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(claims, fc.double({ min: 0, max: 1, noNaN: true }), (asked, fraction) => {
        const [low, high] = [sum(asked.map((one) => one.lowerBound)), sum(asked.map((one) => one.upperBound))];
        const total = low + Math.round((high - low) * fraction);
        const allocation = allocateSeats(total, asked);
        assert.ok(allocation);
        assert.ok(Math.abs(sum(allocation.seats) - total) < 1e-3, `${sum(allocation.seats)} of ${total}`);
        for (const [index, seats] of allocation.seats.entries()) {
          const { lowerBound = 0, upperBound = 0 } = asked[index] ?? {};
          assert.ok(total === 0 || (seats >= lowerBound - 1e-6 && seats <= upperBound + 1e-6));
        }
      }),
    );
  });
});

describe('borrowing', () => {
  const level = (name: string, nominal: number, min: number, used: Partial<LevelDemand> = {}): LevelDemand => ({
    name,
    isExempt: false,
    limits: { nominal, min, max: nominal + 600, maxSeats: undefined },
    highWatermark: 0,
    smoothed: 0,
    currentLimit: nominal,
    ...used,
  });
  it('lends what nobody uses to who does', () => {
    const { levels } = planBorrowing([level('busy', 100, 50, { highWatermark: 180, smoothed: 170 }), level('idle', 100, 20)]);
    assert.equal(levels.get('busy')?.currentLimit, 179);
    assert.equal(levels.get('idle')?.currentLimit, 21);
  });
  it('gives everyone the nominal limit when all are busy', () => {
    const busy = { highWatermark: 500, smoothed: 400 };
    const { levels } = planBorrowing([level('a', 100, 10, busy), level('b', 50, 50, busy)]);
    assert.deepEqual([levels.get('a')?.currentLimit, levels.get('b')?.currentLimit], [100, 50]);
  });
  it('takes what is exempt off the others, down to their minimum', () => {
    const busy = { highWatermark: 500, smoothed: 400 };
    const exempt = level('exempt', 0, 0, { isExempt: true, highWatermark: 1000 });
    const { levels } = planBorrowing([exempt, level('a', 100, 10, busy), level('b', 50, 50, busy)]);
    assert.deepEqual([levels.get('exempt')?.currentLimit, levels.get('a')?.currentLimit, levels.get('b')?.currentLimit], [1000, 10, 50]);
  });
});

describe('seat demand', () => {
  it('is weighted by time', () => {
    const demand = new SeatDemand(0);
    demand.set(10, 0);
    demand.set(0, 1000);
    const report = demand.reset(4000);
    assert.deepEqual([report.average, report.highWatermark, report.durationMs], [2.5, 10, 4000]);
    assert.ok(Math.abs(report.deviation - Math.sqrt(25 - 6.25)) < 1e-9);
  });
  it('rises at once and falls slowly', () => {
    const of = (average: number) => ({ durationMs: 1, average, deviation: 0, highWatermark: 0 });
    assert.equal(smoothDemand(0, of(10)), 10);
    let smoothed = 10;
    for (let period = 0; period < 30; period++) smoothed = smoothDemand(smoothed, of(0));
    assert.ok(smoothed > 4.9 && smoothed < 5.1, `${smoothed} after five minutes`);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
