import assert from 'node:assert/strict';
import type { Job } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { backoffMs, FailureBackoff } from './failure-backoff.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { accountFor } from './job-account.ts';
import { indexFailureCountKey, indexKey, trackingFinalizer } from './job-pods.ts';
import { pendingIndexes, planAction, planEnding } from './job-plan.ts';
import { planStatus } from './job-status.ts';

const now = '2026-01-01T12:00:00Z';
const nowMs = Date.parse(now);

function job(spec: Partial<NonNullable<Job['spec']>> = {}, status: Job['status'] = {}): Job {
  return {
    metadata: { name: 'work', uid: 'j1' },
    spec: { parallelism: 2, completions: 4, backoffLimit: 6, template: {}, ...spec },
    status,
  };
}

interface Rest {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  isTracked?: boolean;
  isDeleted?: boolean;
  index?: number;
  failures?: number;
  exitCode?: number;
  restarts?: number;
}

function pod(
  uid: string,
  { phase = 'Running', isTracked = true, isDeleted = false, index, failures, exitCode, restarts = 0 }: Rest = {},
): Pod {
  const annotations: Record<string, string> = {};
  if (index !== undefined) annotations[indexKey] = String(index);
  if (failures !== undefined) annotations[indexFailureCountKey] = String(failures);
  return {
    metadata: {
      namespace: 'default',
      name: uid,
      uid,
      annotations,
      ...(isTracked ? { finalizers: [trackingFinalizer] } : {}),
      ...(isDeleted ? { deletionTimestamp: now } : {}),
    },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'main',
          image: '',
          imageID: '',
          ready: false,
          restartCount: restarts,
          ...(exitCode === undefined ? {} : { state: { terminated: { exitCode } } }),
        },
      ],
    },
  };
}

describe('indexes of Jobs', () => {
  for (const [text, indexes] of [
    ['', []],
    ['0', [0]],
    ['0,1', [0, 1]],
    ['1,3-5,7', [1, 3, 4, 5, 7]],
  ] as const) {
    it(`"${text}"`, () => {
      assert.deepEqual([...parseIndexes(text, 100)], indexes);
      assert.equal(formatIndexes(indexes), text);
    });
  }
  it('leaves out what is beyond the completions', () => assert.deepEqual([...parseIndexes('1-5', 3)], [1, 2]));
});

describe('accountFor', () => {
  it('writes down what has finished before it is counted', () => {
    const pods = [pod('a', { phase: 'Succeeded' }), pod('b', { phase: 'Failed' }), pod('c')];
    const account = accountFor(job({}, { succeeded: 1 }), pods);
    assert.deepEqual(account.uncounted, { succeeded: ['a'], failed: ['b'] });
    assert.deepEqual([account.succeeded, account.failed, account.totalSucceeded, account.totalFailed], [1, 0, 2, 1]);
    assert.deepEqual(
      account.toRelease.map(({ metadata }) => metadata.uid),
      ['a', 'b'],
    );
  });

  it('counts what was written down and let go, or is gone', () => {
    const status = { succeeded: 1, uncountedTerminatedPods: { succeeded: ['a', 'gone'], failed: ['b'] } };
    const pods = [pod('a', { phase: 'Succeeded', isTracked: false }), pod('b', { phase: 'Failed' })];
    const account = accountFor(job({}, status), pods);
    assert.deepEqual([account.succeeded, account.failed, account.totalSucceeded, account.totalFailed], [3, 0, 3, 1]);
    assert.deepEqual(account.uncounted, { succeeded: [], failed: ['b'] });
  });

  it('counts a deleted Pod as failed, unless only failed ones are replaced', () => {
    assert.equal(accountFor(job(), [pod('a', { isDeleted: true })]).totalFailed, 1);
    assert.equal(accountFor(job({ podReplacementPolicy: 'Failed' }), [pod('a', { isDeleted: true })]).totalFailed, 0);
  });

  it('follows the failure policy', () => {
    const rule = (action: 'FailJob' | 'Ignore') => ({ rules: [{ action, onExitCodes: { operator: 'In' as const, values: [42] } }] });
    const failed = [pod('a', { phase: 'Failed', exitCode: 42 })];
    const ignored = accountFor(job({ podFailurePolicy: rule('Ignore') }), failed);
    assert.deepEqual([ignored.totalFailed, ignored.toRelease.length], [0, 1]);
    const account = accountFor(job({ podFailurePolicy: rule('FailJob') }), failed);
    const message = 'Container main for pod default/a failed with exit code 42 matching FailJob rule at index 0';
    assert.equal(account.failJobMessage, message);
    assert.deepEqual(planEnding(job(), account, failed, nowMs), { type: 'Failed', reason: 'PodFailurePolicy', message });
  });

  it('keeps indexes that are done, and those that have failed too often', () => {
    const indexed = job({ completionMode: 'Indexed', backoffLimitPerIndex: 1, backoffLimit: 1000 }, { completedIndexes: '3' });
    const pods = [
      pod('a', { phase: 'Succeeded', index: 0 }),
      pod('b', { phase: 'Failed', index: 1, failures: 1 }),
      pod('c', { phase: 'Failed', index: 2, failures: 0 }),
    ];
    const account = accountFor(indexed, pods);
    assert.deepEqual([formatIndexes(account.completedIndexes), formatIndexes(account.failedIndexes)], ['0,3', '1']);
    assert.deepEqual(pendingIndexes(indexed, account, pods, 10), [2]);
  });
});

describe('planEnding', () => {
  const failures = (count: number) => Array.from({ length: count }, (_, index) => pod(`f${index}`, { phase: 'Failed' }));
  const table: [string, Job, Pod[], string | undefined][] = [
    ['goes on', job(), [pod('a')], undefined],
    ['is complete', job({ completions: 1 }), [pod('a', { phase: 'Succeeded' })], 'CompletionsReached'],
    ['needs no more than it has', job({}, { succeeded: 4 }), [], 'CompletionsReached'],
    ['has failed as often as it may', job({ backoffLimit: 2 }), failures(2), undefined],
    ['has failed too often', job({ backoffLimit: 2 }), failures(3), 'BackoffLimitExceeded'],
    [
      'has restarted too often in place',
      job({ backoffLimit: 3, template: { spec: { restartPolicy: 'OnFailure', containers: [] } } }),
      [pod('a', { restarts: 3 })],
      'BackoffLimitExceeded',
    ],
    ['has run too long', job({ activeDeadlineSeconds: 60 }, { startTime: '2026-01-01T11:59:00Z' }), [pod('a')], 'DeadlineExceeded'],
    ['has time left', job({ activeDeadlineSeconds: 61 }, { startTime: '2026-01-01T11:59:00Z' }), [pod('a')], undefined],
    ['is a queue that is empty', queue(), [pod('a', { phase: 'Succeeded' })], 'CompletionsReached'],
    ['is a queue that others still work on', queue(), [pod('a', { phase: 'Succeeded' }), pod('b')], undefined],
    [
      'succeeds by policy',
      job({ completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '2' }] } }, { completedIndexes: '2' }),
      [],
      'SuccessPolicy',
    ],
    [
      'keeps to what was decided',
      job({}, { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'DeadlineExceeded', message: 'x' }], succeeded: 4 }),
      [],
      'DeadlineExceeded',
    ],
  ];
  function queue(): Job {
    const one = job();
    if (one.spec) delete one.spec.completions;
    return one;
  }
  for (const [name, of, pods, reason] of table) {
    it(`a Job that ${name}`, () => assert.equal(planEnding(of, accountFor(of, pods), pods, nowMs)?.reason, reason));
  }
});

describe('planAction', () => {
  const table: [string, Job, Pod[], number, string[]][] = [
    ['starts as many as may run', job(), [], 2, []],
    ['fills up', job(), [pod('a')], 1, []],
    ['starts no more than are needed', job({ parallelism: 10 }, { succeeded: 3 }), [], 1, []],
    ['stops those of least worth', job({ parallelism: 1 }), [pod('a'), pod('b', { phase: 'Pending' })], 0, ['b']],
    ['stops all when suspended', job({ suspend: true }), [pod('a')], 0, ['a']],
    ['waits for terminating Pods if told to', job({ podReplacementPolicy: 'Failed' }), [pod('a', { isDeleted: true })], 1, []],
    [
      'stops duplicates of an index',
      job({ completionMode: 'Indexed' }),
      [pod('a', { index: 0 }), pod('b', { index: 0, phase: 'Pending' })],
      0,
      ['b'],
    ],
  ];
  for (const [name, of, pods, create, deleted] of table) {
    it(name, () => {
      const action = planAction(of, accountFor(of, pods), pods);
      assert.deepEqual([action.create, action.delete.map(({ metadata }) => metadata.uid)], [create, deleted]);
    });
  }
});

describe('planStatus', () => {
  const none = { active: [], createdCount: 0, all: [], deletedCount: 0, now };
  it('declares the end only when no Pod is left', () => {
    const pods = [pod('a', { phase: 'Succeeded' })];
    const of = job({ completions: 1 });
    const first = planStatus({
      ...none,
      job: of,
      account: accountFor(of, pods),
      ending: planEnding(of, accountFor(of, pods), pods, nowMs),
      all: pods,
    });
    assert.deepEqual(
      first.status.conditions?.map(({ type }) => type),
      ['SuccessCriteriaMet'],
    );
    assert.deepEqual([first.status.succeeded, first.status.uncountedTerminatedPods, first.news], [undefined, { succeeded: ['a'] }, []]);
    const later = job({ completions: 1 }, first.status);
    const released = [pod('a', { phase: 'Succeeded', isTracked: false })];
    const account = accountFor(later, released);
    const second = planStatus({ ...none, job: later, account, ending: planEnding(later, account, released, nowMs), all: released });
    assert.deepEqual(
      second.status.conditions?.map(({ type }) => type),
      ['SuccessCriteriaMet', 'Complete'],
    );
    assert.deepEqual([second.status.succeeded, second.status.completionTime], [1, now]);
    assert.deepEqual(second.news, [{ type: 'Normal', reason: 'Completed', message: 'Job completed' }]);
  });

  it('suspends and resumes', () => {
    const suspended = job({ suspend: true }, { startTime: now });
    const first = planStatus({ ...none, job: suspended, account: accountFor(suspended, []), ending: undefined });
    assert.deepEqual([first.status.startTime, first.news[0]?.reason], [undefined, 'Suspended']);
    const resumed = job({}, first.status);
    const second = planStatus({ ...none, job: resumed, account: accountFor(resumed, []), ending: undefined });
    assert.deepEqual([second.status.startTime, second.news[0]?.reason], [now, 'Resumed']);
    assert.deepEqual(
      second.status.conditions?.map(({ type, status, reason }) => [type, status, reason]),
      [['Suspended', 'False', 'JobResumed']],
    );
  });
});

describe('FailureBackoff', () => {
  it('doubles from failure to failure, and begins anew after a success', () => {
    assert.deepEqual([0, 1, 2, 3, 20].map(backoffMs), [0, 10_000, 20_000, 40_000, 600_000]);
    const backoff = new FailureBackoff();
    const failure = (uid: string) => ({ pod: pod(uid, { phase: 'Failed' }), isFailure: true });
    backoff.observe('j', [failure('a')], nowMs);
    backoff.observe('j', [failure('a'), failure('b')], nowMs);
    assert.equal(backoff.remainingMs('j', nowMs), 20_000);
    backoff.observe('j', [{ pod: pod('c', { phase: 'Succeeded' }), isFailure: false }], nowMs);
    assert.equal(backoff.remainingMs('j', nowMs), 0);
  });
});
