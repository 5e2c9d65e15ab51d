import assert from 'node:assert/strict';
import { created, createErrors } from '../../testing/strategy.ts';
import { jobs } from './job.ts';

describe('indexed Jobs', () => {
  const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } };
  const metadata = { name: 'x', uid: 'u' };
  const tooLarge = 'must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index';
  const cases: readonly (readonly [title: string, spec: object, expected: readonly string[]])[] = [
    [
      'that are none',
      { completionMode: 'NonIndexed', maxFailedIndexes: 1, successPolicy: { rules: [{ succeededCount: 1 }] } },
      [
        'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
        'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
        'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode',
      ],
    ],
    [
      'of another mode',
      { completionMode: 'x', successPolicy: { rules: [{ succeededCount: 1 }] } },
      [
        'spec.completionMode: Unsupported value: "x": supported values: "NonIndexed", "Indexed"',
        'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode',
      ],
    ],
    [
      'with more successes than completions',
      { completionMode: 'Indexed', completions: 2, successPolicy: { rules: [{ succeededIndexes: '0', succeededCount: 3 }] } },
      [
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of specified completions)',
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 1 (the number of indexes in the specified succeededIndexes field)',
      ],
    ],
    [
      'with many completions',
      { completionMode: 'Indexed', completions: 100_001, parallelism: 10_001, backoffLimitPerIndex: 1 },
      [
        'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
        `spec.parallelism: Invalid value: 10001: ${tooLarge}`,
      ],
    ],
    [
      'with many completions and failures',
      { completionMode: 'Indexed', completions: 100_001, parallelism: 1, backoffLimitPerIndex: 1, maxFailedIndexes: 10_001 },
      [`spec.maxFailedIndexes: Invalid value: 10001: ${tooLarge}`],
    ],
  ];
  for (const [title, spec, expected] of cases)
    it(title, () => assert.deepEqual(createErrors(jobs, { metadata, spec: { template, ...spec } }), expected));

  it('have the labels of their Pods where they have none, with those that are generated', () => {
    const labels = { app: 'a' };
    const generated = ['batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name', 'controller-uid', 'job-name'];
    const labelsOf = (own: Record<string, string> | undefined, pods: Record<string, string> | undefined) =>
      Object.keys(
        created(jobs, {
          metadata: { ...metadata, ...(own ? { labels: own } : {}) },
          spec: { template: { ...template, ...(pods ? { metadata: { labels: pods } } : {}) } },
        }).metadata.labels ?? {},
      ).sort();
    assert.deepEqual(labelsOf(undefined, labels), ['app', ...generated]);
    assert.deepEqual(labelsOf(undefined, undefined), generated);
    assert.deepEqual(labelsOf({ own: 'x' }, labels), ['own']);
    assert.deepEqual(labelsOf({ app: 'a' }, labels), ['app']);
  });
});
