import assert from 'node:assert/strict';
import { formatTime } from '../../../api/meta/time.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { type Calculation, replicasForShare, replicasForUsage, replicasForUtilization, replicasForValue } from './replica-calculation.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const tolerances = { up: 0.1, down: 0.1 };

interface Sort {
  readonly phase?: NonNullable<NonNullable<Pod['status']>['phase']>;
  readonly ready?: boolean;
  readonly startedSeconds?: number;
  readonly changedSeconds?: number;
  readonly deleted?: boolean;
}

/** Age and the time since readiness changed are in seconds ago. */
function podOf(
  index: number,
  { phase = 'Running', ready = true, startedSeconds = 3600, changedSeconds = 3000, deleted = false }: Sort,
): Pod {
  const at = (seconds: number) => formatTime(nowMs - seconds * 1000);
  return {
    metadata: { name: `p${index}`, ...(deleted ? { deletionTimestamp: at(1) } : {}) },
    status: {
      phase,
      startTime: at(startedSeconds),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: at(changedSeconds) }],
    },
  };
}

function inputOf(sorts: readonly Sort[], usage: readonly (number | undefined)[], isCPU: boolean, currentReplicas = sorts.length) {
  const readings = new Map(
    usage.flatMap((value, index) =>
      value === undefined ? [] : [[`p${index}`, { value, timeMs: nowMs - 10_000, windowMs: 60_000 }] as const],
    ),
  );
  return { pods: sorts.map((sort, index) => podOf(index, sort)), readings, currentReplicas, isCPU, tolerances, nowMs };
}

const shown = (calculation: Calculation) => ('problem' in calculation ? calculation.problem : calculation.replicas);
const ok: Sort = {};

describe('replicas by utilization', () => {
  const pending: Sort = { phase: 'Pending', ready: false };
  const starting: Sort = { ready: false, startedSeconds: 60, changedSeconds: 60 };
  const justReady: Sort = { startedSeconds: 60, changedSeconds: 30 };
  const cases: [string, Sort[], (number | undefined)[], number, number | string][] = [
    ['on target', [ok, ok, ok], [500, 500, 500], 50, 3],
    ['within tolerance', [ok, ok, ok], [550, 550, 550], 50, 3],
    ['above', [ok, ok, ok], [900, 900, 900], 50, 6],
    ['below', [ok, ok, ok], [100, 100, 100], 50, 1],
    ['of two ready ones', [ok, ok, pending], [900, 900, undefined], 50, 4],
    ['a Pod without metrics dampens', [ok, ok, ok], [900, 900, undefined], 50, 4],
    ['a Pod without metrics counts as busy on the way down', [ok, ok, ok], [100, 100, undefined], 50, 3],
    ['a starting Pod counts as idle', [ok, starting], [900, 900], 50, 2],
    ['a Pod that became ready within the window is not believed', [ok, justReady], [900, 900], 50, 2],
    ['one that fails after it was ready counts', [ok, { ready: false, startedSeconds: 3600, changedSeconds: 10 }], [900, 900], 50, 4],
    ['one that was never ready does not', [ok, { ready: false, startedSeconds: 3600, changedSeconds: 3590 }], [900, 900], 50, 2],
    ['ending and failed Pods are left out', [ok, { deleted: true }, { phase: 'Failed' }], [900, 5000, 5000], 50, 2],
    ['nothing known', [pending], [undefined], 50, 'did not receive metrics for targeted pods (pods might be unready)'],
    ['no Pods', [], [], 50, 'no pods returned by selector while calculating replica count'],
  ];
  for (const [name, sorts, usage, target, expected] of cases) {
    it(name, () => {
      const requests = new Map(sorts.map((_, index) => [`p${index}`, 1000]));
      assert.equal(shown(replicasForUtilization(inputOf(sorts, usage, true), requests, target)), expected);
    });
  }

  it('tells utilization and average', () => {
    const requests = new Map([
      ['p0', 1000],
      ['p1', 500],
    ]);
    const calculation = replicasForUtilization(inputOf([ok, ok], [300, 300], true), requests, 40);
    assert.deepEqual(calculation, { replicas: 2, average: 300, utilization: 40 });
  });

  it('has a tolerance of its own for either direction', () => {
    const requests = new Map([['p0', 1000]]);
    const with30 = { ...inputOf([ok], [620], true), tolerances: { up: 0.3, down: 0 } };
    assert.equal(shown(replicasForUtilization(with30, requests, 50)), 1);
    const eight = {
      ...inputOf(
        Array.from({ length: 8 }, () => ok),
        Array.from({ length: 8 }, () => 430),
        true,
      ),
      tolerances: { up: 0.3, down: 0 },
    };
    assert.equal(shown(replicasForUtilization(eight, new Map(eight.pods.map(({ metadata }) => [metadata.name ?? '', 1000])), 50)), 7);
  });
});

describe('replicas by other metrics', () => {
  it('per Pod', () => {
    assert.deepEqual(replicasForUsage(inputOf([ok, ok], [30_000, 10_000], false), 10_000), { replicas: 4, average: 20_000 });
    assert.equal(shown(replicasForUsage(inputOf([ok, ok], [10_000, undefined], false), 5000)), 2);
  });

  it('shared', () => {
    assert.deepEqual(replicasForShare({ total: 100_000, tolerances }, 4, 10_000), { replicas: 10, average: 25_000 });
    assert.equal(shown(replicasForShare({ total: 41_000, tolerances }, 4, 10_000)), 4);
    assert.equal(shown(replicasForShare({ total: 41_000, tolerances }, 0, 10_000)), 5);
  });

  it('as it is', () => {
    assert.deepEqual(replicasForValue({ total: 20_000, tolerances }, 3, 3, 10_000), { replicas: 6, average: 20_000 });
    assert.equal(shown(replicasForValue({ total: 10_500, tolerances }, 3, 3, 10_000)), 3);
    assert.equal(shown(replicasForValue({ total: 25_000, tolerances }, 0, undefined, 10_000)), 3);
  });
});
