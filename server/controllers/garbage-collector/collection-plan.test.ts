import assert from 'node:assert/strict';
import { type CollectionInput, ownerState, planCollection } from './collection-plan.ts';

const owner = (uid: string, rest: object = {}) => ({ metadata: { uid, ...rest } });
const input = (states: readonly ('solid' | 'absent' | 'waiting')[], rest: Partial<CollectionInput> = {}): CollectionInput => ({
  metadata: {},
  owners: states.map((state, index) => ({ uid: `o${index}`, state })),
  hasDependents: false,
  hasDeletingDependents: false,
  ...rest,
});

describe('ownerState', () => {
  const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const table: [string, ReturnType<typeof owner> | undefined, string][] = [
    ['is there', owner('o1'), 'solid'],
    ['is gone', undefined, 'absent'],
    ['is another object of its name', owner('o2'), 'absent'],
    ['is being deleted in the foreground', owner('o1', { ...deleted, finalizers: ['foregroundDeletion'] }), 'waiting'],
    ['is being deleted otherwise', owner('o1', { ...deleted, finalizers: ['example.com/x'] }), 'solid'],
  ];
  for (const [name, object, expected] of table) it(`an owner that ${name}`, () => assert.equal(ownerState(object, 'o1'), expected));
});

describe('planCollection', () => {
  const table: [string, CollectionInput, unknown][] = [
    ['keeps what has all its owners', input(['solid', 'solid']), { kind: 'keep' }],
    ['drops owners while one stays', input(['absent', 'solid', 'waiting']), { kind: 'drop-owners', uids: ['o0', 'o2'] }],
    ['deletes what has none left', input(['absent']), { kind: 'delete', policy: 'Background', unblock: false }],
    [
      'deletes dependents first for an owner that waits',
      input(['waiting'], { hasDependents: true }),
      { kind: 'delete', policy: 'Foreground', unblock: false },
    ],
    ['deletes a leaf for an owner that waits', input(['waiting']), { kind: 'delete', policy: 'Background', unblock: false }],
    [
      'breaks circles',
      input(['waiting'], { hasDependents: true, hasDeletingDependents: true }),
      { kind: 'delete', policy: 'Foreground', unblock: true },
    ],
    [
      'respects a wish to orphan',
      input(['absent'], { metadata: { finalizers: ['orphan'] } }),
      { kind: 'delete', policy: 'Orphan', unblock: false },
    ],
    [
      'respects a wish for foreground deletion',
      input(['absent'], { metadata: { finalizers: ['foregroundDeletion'] } }),
      { kind: 'delete', policy: 'Foreground', unblock: false },
    ],
  ];
  for (const [name, of, expected] of table) it(name, () => assert.deepEqual(planCollection(of), expected));
});
