import assert from 'node:assert/strict';
import { created, createErrors, row, updateErrors } from '../../testing/strategy.ts';
import { cronJobs } from './cron-job.ts';
import { jobs } from './job.ts';

const podTemplate = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
const job = (spec: object, status: object = {}) => ({
  metadata: { name: 'x', namespace: 'default', uid: 'u1' },
  spec: { template: podTemplate, ...spec },
  status,
});

describe('jobs', () => {
  it('get labels and a selector of their own', () => {
    const { spec } = created(jobs, job({}));
    assert.deepEqual(spec?.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } });
    assert.deepEqual(spec?.template.metadata?.labels, {
      'batch.kubernetes.io/job-name': 'x',
      'job-name': 'x',
      'batch.kubernetes.io/controller-uid': 'u1',
      'controller-uid': 'u1',
    });
  });
  const cases: [string, object, string[]][] = [
    ['a small one', job({}), []],
    [
      'Pods that never end',
      job({ template: { spec: { ...podTemplate.spec, restartPolicy: undefined } } }),
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'a foreign selector',
      job({ selector: { matchLabels: { a: 'b' } } }),
      [
        'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u1","a":"b"}}: `selector` not auto-generated',
        'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/job-name":"x","job-name":"x","batch.kubernetes.io/controller-uid":"u1","controller-uid":"u1"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'manual without a selector',
      job({ manualSelector: true }),
      ['spec.selector: Required value', 'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`'],
    ],
    [
      'indexed without completions',
      job({ completionMode: 'Indexed', parallelism: 2 }),
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    ['negative', job({ parallelism: -1 }), ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0']],
    [
      'failure policy',
      job({
        podFailurePolicy: {
          rules: [{ action: 'FailJob' }, { action: 'Explode', onExitCodes: { operator: 'In', values: [0], containerName: 'z' } }],
        },
      }),
      [
        'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
        'spec.podFailurePolicy.rules[1].action: Unsupported value: "Explode": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
        'spec.podFailurePolicy.rules[1].onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template',
        'spec.podFailurePolicy.rules[1].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
      ],
    ],
    [
      'success policy',
      job({
        completionMode: 'Indexed',
        completions: 3,
        successPolicy: { rules: [{ succeededIndexes: '0-3' }, { succeededCount: 4 }, {}] },
      }),
      [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-3": error parsing succeededIndexes: too large index: "3"',
        'spec.successPolicy.rules[1].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
        'spec.successPolicy.rules[2]: Required value: at least one of succeededCount or succeededIndexes must be specified',
      ],
    ],
  ];
  for (const [name, object, expected] of cases) it(name, () => assert.deepEqual(createErrors(jobs, object), expected));

  it('the template stays, unless it has not begun', () => {
    const moved = { spec: { ...podTemplate.spec, nodeSelector: { zone: 'a' } } };
    const before = created(jobs, job({ suspend: true }));
    const template = { ...moved, metadata: before.spec?.template.metadata };
    assert.deepEqual(updateErrors(jobs, before, { ...before, spec: { ...before.spec, template } }), []);
    const running = created(jobs, job({}));
    const [error = ''] = updateErrors(jobs, running, { ...running, spec: { ...running.spec, template } });
    assert.match(error, /^spec\.template: Invalid value: .*: field is immutable$/);
  });
  it('row', () => {
    const status = {
      succeeded: 1,
      startTime: '2025-12-31T23:59:00Z',
      completionTime: '2025-12-31T23:59:30Z',
      conditions: [{ type: 'Complete', status: 'True' }],
    };
    assert.equal(
      row(jobs, job({ completions: 3 }, status)),
      'Name=x Status=Complete Completions=1/3 Duration=30s Age=<unknown> Containers=c Images=i Selector=<none>',
    );
    assert.match(
      row(jobs, job({ parallelism: 4 }, { startTime: '2025-12-31T23:59:00Z' })),
      /Status=Running Completions=0\/1 of 4 Duration=60s/,
    );
  });
});

describe('cron jobs', () => {
  const cron = (spec: object, name = 'x') => ({
    metadata: { name, namespace: 'default' },
    spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: podTemplate } }, ...spec },
  });
  it('a small one', () => assert.deepEqual(createErrors(cronJobs, cron({})), []));
  it('schedules', () => {
    assert.deepEqual(createErrors(cronJobs, cron({ schedule: '' })), ['spec.schedule: Required value']);
    assert.deepEqual(createErrors(cronJobs, cron({ schedule: '* * *' })), [
      'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]',
    ]);
    assert.deepEqual(createErrors(cronJobs, cron({ schedule: 'TZ=UTC * * * * *' })), [
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ]);
  });
  it('time zones', () => {
    assert.deepEqual(createErrors(cronJobs, cron({ timeZone: 'Europe/Vienna' })), []);
    assert.deepEqual(createErrors(cronJobs, cron({ timeZone: 'Mars/Base' })), [
      'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
    ]);
  });
  it('long names', () =>
    assert.deepEqual(createErrors(cronJobs, cron({}, 'x'.repeat(53))), [
      `metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`,
    ]));
  it('row', () =>
    assert.equal(
      row(cronJobs, { ...cron({ suspend: false }), status: { active: [{}], lastScheduleTime: '2025-12-31T23:58:00Z' } }),
      'Name=x Schedule=*/5 * * * * Timezone=<none> Suspend=False Active=1 Last Schedule=2m Age=<unknown> Containers=c Images=i Selector=<none>',
    ));
});
