import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { ObjectStore } from '../../../api/client/informers/object-store.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { planClaim } from './claim-dependents.ts';
import { Expectations } from './expectations.ts';
import { podsToDelete } from './replicas/deletion-order.ts';
import { replicaStatus, secondsUntilAvailable } from './replicas/replica-status.ts';
import { slowStart } from './slow-start.ts';
import { WriteTracker } from './write-tracker.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');

describe('planClaim', () => {
  const reference = (uid: string) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid, controller: true });
  const owner = (deleted = false): KubeObject => ({ metadata: { uid: 'r1', ...(deleted ? { deletionTimestamp: 'x' } : {}) } });
  const object = (uid?: string, deleted = false): KubeObject => ({
    metadata: { ...(uid ? { ownerReferences: [reference(uid)] } : {}), ...(deleted ? { deletionTimestamp: 'x' } : {}) },
  });
  const table: [string, KubeObject, boolean, KubeObject, string][] = [
    ['its own', owner(), true, object('r1'), 'keep'],
    ['its own, no longer selected', owner(), false, object('r1'), 'release'],
    ['its own, no longer selected, while it is being deleted', owner(true), false, object('r1'), 'ignore'],
    ["another's", owner(), true, object('r2'), 'ignore'],
    ['an orphan', owner(), true, object(), 'adopt'],
    ['an orphan that is not selected', owner(), false, object(), 'ignore'],
    ['an orphan that is being deleted', owner(), true, object(undefined, true), 'ignore'],
    ['an orphan while it is being deleted itself', owner(true), true, object(), 'ignore'],
  ];
  for (const [name, of, isSelected, dependent, expected] of table) {
    it(name, () => assert.equal(planClaim(of, isSelected, dependent), expected));
  }
});

describe('Expectations', () => {
  it('are satisfied when all was seen', () => {
    const expectations = new Expectations(createManualClock());
    assert.ok(expectations.isSatisfied('a'));
    expectations.expectCreations('a', 2);
    expectations.creationObserved('a');
    assert.ok(!expectations.isSatisfied('a'));
    expectations.creationObserved('a');
    assert.ok(expectations.isSatisfied('a'));
  });

  it('count each deletion once', () => {
    const expectations = new Expectations(createManualClock());
    expectations.expectDeletions('a', ['u1', 'u2']);
    for (const uid of ['u1', 'u1', 'u3']) expectations.deletionObserved('a', uid);
    assert.ok(!expectations.isSatisfied('a'));
    expectations.deletionObserved('a', 'u2');
    assert.ok(expectations.isSatisfied('a'));
  });

  it('expire', async () => {
    const clock = createManualClock();
    const expectations = new Expectations(clock);
    expectations.expectCreations('a', 1);
    await clock.advance(300_001);
    assert.ok(expectations.isSatisfied('a'));
  });
});

describe('WriteTracker', () => {
  it('waits until the cache shows what was written', () => {
    const store = new ObjectStore<KubeObject>();
    const tracker = new WriteTracker(createManualClock(), store);
    const slice = (resourceVersion: string) => ({ metadata: { namespace: 'a', name: 's', resourceVersion } });
    assert.ok(tracker.isCurrent('o'));
    tracker.wrote('o', slice('9'));
    assert.ok(!tracker.isCurrent('o'));
    store.set(slice('8'));
    assert.ok(!tracker.isCurrent('o'));
    store.set(slice('10'));
    assert.ok(tracker.isCurrent('o'));
    tracker.deleted('o', slice('10'));
    assert.ok(!tracker.isCurrent('o'));
    store.remove({ namespace: 'a', name: 's' });
    assert.ok(tracker.isCurrent('o'));
  });

  it('gives up in the end', async () => {
    const clock = createManualClock();
    const tracker = new WriteTracker(clock, new ObjectStore<KubeObject>());
    tracker.wrote('o', { metadata: { namespace: 'a', name: 's', resourceVersion: '9' } });
    await clock.advance(30_001);
    assert.ok(tracker.isCurrent('o'));
  });
});

describe('slowStart', () => {
  it('doubles its batches', async () => {
    const running: number[] = [];
    let inFlight = 0;
    const result = await slowStart(10, async () => {
      running.push(++inFlight);
      await Promise.resolve();
      inFlight--;
    });
    assert.equal(result.succeeded, 10);
    assert.deepEqual(running, [1, 1, 2, 1, 2, 3, 4, 1, 2, 3]);
  });

  it('stops after the first batch that fails', async () => {
    let calls = 0;
    const result = await slowStart(100, async (index) => {
      calls++;
      if (index === 4) throw new Error('no');
    });
    assert.equal(calls, 7);
    assert.equal(result.succeeded, 6);
    assert.match(String(result.error), /no/);
  });
});

describe('podsToDelete', () => {
  interface Rest {
    node?: string;
    phase?: 'Pending' | 'Running' | 'Unknown';
    readyForSeconds?: number;
    cost?: string;
    restarts?: number;
    ageSeconds?: number;
  }
  const at = (secondsAgo: number) => new Date(nowMs - secondsAgo * 1000).toISOString();
  const pod = (
    name: string,
    { node = 'n', phase = 'Running', readyForSeconds = 1000, cost, restarts = 0, ageSeconds = 2000 }: Rest = {},
  ): Pod => ({
    metadata: {
      name,
      uid: name,
      creationTimestamp: at(ageSeconds),
      ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
    },
    spec: { ...(node ? { nodeName: node } : {}), containers: [] },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: readyForSeconds > 0 ? 'True' : 'False', lastTransitionTime: at(readyForSeconds) }],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  });
  const table: [string, Pod, Pod][] = [
    ['not assigned to a node', pod('z', { node: '' }), pod('a')],
    ['pending', pod('z', { phase: 'Pending' }), pod('a')],
    ['not ready', pod('z', { readyForSeconds: 0 }), pod('a', { cost: '-5' })],
    ['of lower cost', pod('z', { cost: '-5' }), pod('a')],
    ['ready for less time', pod('z', { readyForSeconds: 10 }), pod('a', { readyForSeconds: 1000 })],
    ['restarted more often', pod('z', { restarts: 3 }), pod('a')],
    ['younger', pod('z', { ageSeconds: 10 }), pod('a')],
    ['first by uid where times are of one magnitude', pod('a', { readyForSeconds: 1000 }), pod('z', { readyForSeconds: 990 })],
  ];
  for (const [name, goes, stays] of table) {
    it(`takes the one that is ${name}`, () => {
      for (const pods of [
        [goes, stays],
        [stays, goes],
      ]) {
        assert.deepEqual(
          podsToDelete(pods, pods, 1, nowMs).map(({ metadata }) => metadata.name),
          [goes.metadata.name],
        );
      }
    });
  }
  it('takes from the fuller node', () => {
    const pods = [pod('a', { node: 'n1' }), pod('b', { node: 'n2' }), pod('c', { node: 'n2' })];
    assert.equal(podsToDelete(pods, pods, 1, nowMs)[0]?.spec?.nodeName, 'n2');
  });
});

describe('replicaStatus', () => {
  const pod = (ready: boolean, secondsAgo: number, labels: Record<string, string>): Pod => ({
    metadata: { labels },
    status: {
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: new Date(nowMs - secondsAgo * 1000).toISOString() },
      ],
    },
  });
  const active = [pod(true, 60, { a: 'b' }), pod(true, 5, { a: 'b' }), pod(false, 60, { c: 'd' })];
  const input = { present: undefined, generation: 3, templateLabels: { a: 'b' }, active, terminating: 1, minReadySeconds: 30, nowMs };

  it('counts', () => {
    assert.deepEqual(replicaStatus(input), {
      replicas: 3,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 1,
      observedGeneration: 3,
    });
    assert.equal(secondsUntilAvailable(active, 30, nowMs), 25);
    assert.equal(secondsUntilAvailable(active, 0, nowMs), undefined);
  });

  it('shows why Pods cannot be made, until they can', () => {
    const failure = { reason: 'FailedCreate' as const, message: 'quota', now: '2026-01-01T12:00:00Z' };
    const failed = replicaStatus({ ...input, failure });
    const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota', lastTransitionTime: failure.now };
    assert.deepEqual(failed.conditions, [condition]);
    const later = replicaStatus({ ...input, present: failed, failure: { ...failure, message: 'other', now: 'later' } });
    assert.deepEqual(later.conditions, [condition]);
    assert.equal(replicaStatus({ ...input, present: failed }).conditions, undefined);
  });
});
