import assert from 'node:assert/strict';
import type { Deployment, ReplicaSet } from '../../../api/types/apps-v1.ts';
import { annotationKeys } from './revisions.ts';
import { planRollingNew, planRollingOld, planScale, type ScaleStep } from './scale-plan.ts';

function deployment(replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment {
  return {
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: {},
      template: {},
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
    },
  };
}

/** `age`: the greater the older. */
function set(name: string, replicas: number, available: number, age: number, annotations: Record<string, string> = {}): ReplicaSet {
  const creationTimestamp = new Date(1_700_000_000_000 - age * 1000).toISOString();
  return {
    metadata: { name, uid: name, creationTimestamp, annotations },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas: available },
  };
}

const shown = (steps: readonly ScaleStep[]) => steps.map((step) => [step.set.metadata.name, step.replicas]);

describe('planRollingNew', () => {
  const table: [string, Deployment, ReplicaSet, ReplicaSet[], number | undefined][] = [
    ['grows by the surge', deployment(10, 3, 0), set('new', 0, 0, 0), [set('old', 10, 10, 9)], 3],
    ['grows by no more than is missing', deployment(10, 20, 0), set('new', 8, 8, 0), [set('old', 10, 10, 9)], 10],
    ['waits while there is no room', deployment(10, 2, 2), set('new', 2, 0, 0), [set('old', 10, 10, 9)], undefined],
    ['shrinks when too large', deployment(5, 1, 1), set('new', 8, 8, 0), [], 5],
    ['rests when done', deployment(5, 1, 1), set('new', 5, 5, 0), [], undefined],
    ['takes percentages, surge rounded up', deployment(3, '25%', '25%'), set('new', 0, 0, 0), [set('old', 3, 3, 9)], 1],
  ];
  for (const [name, wanted, newSet, old, expected] of table) {
    it(name, () => assert.equal(planRollingNew(wanted, newSet, old)?.replicas, expected));
  }
});

describe('planRollingOld', () => {
  const table: [string, Deployment, ReplicaSet, ReplicaSet[], unknown][] = [
    ['keeps the minimum available', deployment(10, 0, 2), set('new', 0, 0, 0), [set('old', 10, 10, 9)], [['old', 8]]],
    ['waits for new Pods', deployment(10, 3, 0), set('new', 3, 0, 0), [set('old', 10, 10, 9)], []],
    ['goes on as new Pods are available', deployment(10, 3, 0), set('new', 3, 3, 0), [set('old', 10, 10, 9)], [['old', 7]]],
    ['removes what is not available first', deployment(10, 0, 2), set('new', 0, 0, 0), [set('a', 5, 5, 9), set('b', 5, 3, 8)], [['b', 3]]],
    [
      'takes from the oldest',
      deployment(10, 5, 2),
      set('new', 5, 5, 0),
      [set('b', 4, 4, 8), set('a', 6, 6, 9)],
      [
        ['a', 0],
        ['b', 3],
      ],
    ],
    ['has nothing to take', deployment(10, 0, 2), set('new', 10, 10, 0), [set('old', 0, 0, 9)], []],
  ];
  for (const [name, wanted, newSet, old, expected] of table) {
    it(name, () => assert.deepEqual(shown(planRollingOld(wanted, newSet, old)), expected));
  }
});

describe('planScale', () => {
  const max = (count: number) => ({ [annotationKeys.maxReplicas]: String(count) });
  const table: [string, Deployment, ReplicaSet | undefined, ReplicaSet[], unknown][] = [
    ['scales the only one', deployment(5, 1, 1), set('new', 3, 3, 0), [], [['new', 5]]],
    ['scales the newest when all are empty', deployment(5, 1, 1), undefined, [set('a', 0, 0, 9), set('b', 0, 0, 8)], [['b', 5]]],
    ['rests when the size is right', deployment(3, 1, 1), set('new', 3, 3, 0), [], []],
    [
      'clears old ones when the new one is complete',
      deployment(3, 1, 1),
      set('new', 3, 3, 0, { [annotationKeys.desiredReplicas]: '3' }),
      [set('old', 1, 1, 9)],
      [['old', 0]],
    ],
    [
      'shares growth in proportion',
      deployment(20, 0, 0),
      set('new', 5, 5, 0, max(10)),
      [set('old', 5, 5, 9, max(10))],
      [
        ['new', 10],
        ['old', 10],
      ],
    ],
    [
      'gives what is left by rounding to the largest',
      deployment(11, 0, 0),
      set('new', 3, 3, 0, max(10)),
      [set('old', 7, 7, 9, max(10))],
      [
        ['old', 8],
        ['new', 3],
      ],
    ],
    [
      'shares shrinking in proportion',
      deployment(5, 0, 0),
      set('new', 4, 4, 0, max(10)),
      [set('old', 6, 6, 9, max(10))],
      [
        ['old', 3],
        ['new', 2],
      ],
    ],
    [
      'empties all at zero',
      deployment(0, 3, 0),
      set('new', 4, 4, 0, max(10)),
      [set('old', 6, 6, 9, max(10))],
      [
        ['old', 0],
        ['new', 0],
      ],
    ],
  ];
  for (const [name, wanted, newSet, old, expected] of table) {
    it(name, () => assert.deepEqual(shown(planScale(wanted, newSet, old)), expected));
  }
});
