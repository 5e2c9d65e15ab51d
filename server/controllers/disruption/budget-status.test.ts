import assert from 'node:assert/strict';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodDisruptionBudget } from '../../../api/types/policy-v1.ts';
import { budgetStatus, disruptedPods, expectedPods } from './budget-status.ts';

const now = '2026-01-01T12:00:00Z';
const budget = (spec: PodDisruptionBudget['spec'], status: PodDisruptionBudget['status'] = {}): PodDisruptionBudget => ({
  metadata: { generation: 2 },
  spec: spec ?? {},
  status: status ?? {},
});
const pods = (count: number, ready = true): Pod[] =>
  Array.from({ length: count }, (_, index) => ({
    metadata: { name: `${ready ? 'r' : 'u'}${index}` },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }));

describe('disruption budgets', () => {
  const table: [string, PodDisruptionBudget['spec'], Pod[], number, number, number][] = [
    ['minAvailable 2 of 3', { minAvailable: 2 }, pods(3), 3, 1, 2],
    ['minAvailable 50% of 3', { minAvailable: '50%' }, pods(3), 3, 1, 2],
    ['maxUnavailable 1 of 3', { maxUnavailable: 1 }, pods(3), 3, 1, 2],
    ['maxUnavailable 1 with one down', { maxUnavailable: 1 }, [...pods(2), ...pods(1, false)], 3, 0, 2],
    ['maxUnavailable larger than all', { maxUnavailable: 5 }, pods(3), 3, 3, 0],
    ['no Pods', { minAvailable: 0 }, [], 0, 0, 0],
  ];
  for (const [name, spec, matching, scale, allowed, desired] of table) {
    it(name, () => {
      const of = budget(spec);
      const status = budgetStatus(of, matching, expectedPods(of, matching, scale), {}, now);
      assert.deepEqual([status.disruptionsAllowed, status.desiredHealthy], [allowed, desired]);
    });
  }

  it('counts evictions under way, until they are overdue', () => {
    const of = budget({ minAvailable: 1 }, { disruptedPods: { r0: '2026-01-01T11:59:00Z', r1: '2026-01-01T11:00:00Z', gone: now } });
    const { kept, overdue, recheckMs } = disruptedPods(of, pods(3), Date.parse(now));
    assert.deepEqual(kept, { r0: '2026-01-01T11:59:00Z' });
    assert.deepEqual(
      overdue.map(({ metadata }) => metadata.name),
      ['r1'],
    );
    assert.equal(recheckMs, Date.parse('2026-01-01T12:01:00Z'));
    assert.equal(budgetStatus(of, pods(3), expectedPods(of, pods(3), 0), kept, now).currentHealthy, 2);
  });
});
