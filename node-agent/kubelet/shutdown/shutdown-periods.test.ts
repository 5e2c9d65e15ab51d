import assert from 'node:assert/strict';
import { defaultShutdownFlags, parseShutdownFlags, periodIndexOf, totalSeconds } from './shutdown-periods.ts';

const parse = (total: string, critical: string, byPriority = '') =>
  parseShutdownFlags({
    shutdownGracePeriod: total,
    shutdownGracePeriodCriticalPods: critical,
    shutdownGracePeriodByPodPriority: byPriority,
  });

describe('grace periods of a shutdown', () => {
  it('are none by default', () => assert.deepEqual(parseShutdownFlags(defaultShutdownFlags), []));

  it('give critical Pods the end of the total', () => {
    assert.deepEqual(parse('30s', '10s'), [
      { priority: 0, graceSeconds: 20 },
      { priority: 2_000_000_000, graceSeconds: 10 },
    ]);
  });

  it('are given by priority, in any order', () => {
    const periods = parse('0s', '0s', '100000=10s,0=1m,-5=5s');
    assert.deepEqual(periods, [
      { priority: -5, graceSeconds: 5 },
      { priority: 0, graceSeconds: 60 },
      { priority: 100_000, graceSeconds: 10 },
    ]);
    assert.equal(totalSeconds(periods), 75);
  });

  for (const [name, total, critical, byPriority, message] of [
    [
      'more for critical Pods than there is',
      '10s',
      '20s',
      '',
      /shutdownGracePeriodCriticalPods \{20s\} must be <= shutdownGracePeriod \{10s\}/,
    ],
    ['less than a second', '500ms', '0s', '', /shutdownGracePeriod \{500ms\} must be either zero or otherwise >= 1 sec/],
    ['a negative time', '-5s', '0s', '', /shutdownGracePeriod -5s must be >= 0/],
    ['both forms', '30s', '10s', '0=10s', /cannot specify shutdownGracePeriodByPodPriority and shutdownGracePeriod/],
    ['no priority', '0s', '0s', 'high=10s', /"high=10s" is not a priority and a duration/],
    ['no duration', '0s', '0s', '5', /invalid duration/],
    ['a priority twice', '0s', '0s', '5=1s,5=2s', /priority 5 is given twice/],
  ] as const)
    it(`refuse ${name}`, () => assert.throws(() => parse(total, critical, byPriority), message));

  it('hold for a Pod by its priority; manifests of the node are critical', () => {
    const periods = parse('30s', '10s');
    const podOf = (priority: number | undefined, annotations = {}) => ({
      metadata: { annotations },
      spec: { containers: [], ...(priority === undefined ? {} : { priority }) },
    });
    assert.equal(periodIndexOf(podOf(undefined), periods), 0);
    assert.equal(periodIndexOf(podOf(-10), periods), 0);
    assert.equal(periodIndexOf(podOf(1_999_999_999), periods), 0);
    assert.equal(periodIndexOf(podOf(2_000_000_000), periods), 1);
    assert.equal(periodIndexOf(podOf(undefined, { 'kubernetes.io/config.source': 'file' }), periods), 1);
  });
});
