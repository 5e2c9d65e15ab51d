import assert from 'node:assert/strict';
import { created, createErrors, row, updateErrors } from '../../testing/strategy.ts';
import { daemonSets } from './daemon-set.ts';
import { deployments } from './deployment.ts';
import { replicaSets } from './replica-set.ts';
import { statefulSets } from './stateful-set.ts';

const template = {
  metadata: { labels: { app: 'x' } },
  spec: {
    containers: [
      { name: 'web', image: 'nginx:1' },
      { name: 'log', image: 'tail' },
    ],
  },
};
const selector = { matchLabels: { app: 'x' } };
const of = (spec: object, status: object = {}) => ({
  metadata: { name: 'x', namespace: 'default' },
  spec: { selector, template, ...spec },
  status,
});

describe('deployments', () => {
  const cases: [string, object, string[]][] = [
    ['a small one', of({}), []],
    [
      'no selector',
      of({ selector: undefined }),
      [
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
      ],
    ],
    ['a selector for everything', of({ selector: {} }), ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
    [
      'a selector of others',
      of({ selector: { matchLabels: { app: 'y' } } }),
      ['spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`'],
    ],
    ['fewer than none', of({ replicas: -1 }), ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'an update that cannot get on',
      of({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }),
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      'odd percentages',
      of({ strategy: { rollingUpdate: { maxSurge: 'many', maxUnavailable: '150%' } } }),
      [
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "150%": must not be greater than 100%',
      ],
    ],
    [
      'Recreate with a rolling update',
      of({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'an unknown strategy',
      of({ strategy: { type: 'Slow' } }),
      ['spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'too little time',
      of({ minReadySeconds: 600 }),
      ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
    [
      'Pods that end',
      of({ template: { ...template, spec: { ...template.spec, restartPolicy: 'Never', activeDeadlineSeconds: 5 } } }),
      [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      ],
    ],
    ['a broken template', of({ template: { ...template, spec: {} } }), ['spec.template.spec.containers: Required value']],
  ];
  for (const [name, object, expected] of cases) it(name, () => assert.deepEqual(createErrors(deployments, object), expected));

  it('the selector stays', () => {
    const other = { metadata: { labels: { app: 'y' } }, spec: template.spec };
    assert.deepEqual(updateErrors(deployments, of({}), of({ selector: { matchLabels: { app: 'y' } }, template: other })), [
      'spec.selector: Invalid value: {"matchLabels":{"app":"y"}}: field is immutable',
    ]);
  });
  it('status counts fit together', () =>
    assert.deepEqual(
      updateErrors(
        deployments,
        of({}, { collisionCount: 2 }),
        of({}, { replicas: 1, readyReplicas: 2, availableReplicas: -1, collisionCount: 1 }),
        'status',
      ),
      [
        'status.availableReplicas: Invalid value: -1: must be greater than or equal to 0',
        'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
        'status.collisionCount: Invalid value: 1: cannot be decremented',
      ],
    ));
  it('row', () =>
    assert.equal(
      row(deployments, of({ replicas: 3 }, { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 })),
      'Name=x Ready=2/3 Up-to-date=3 Available=1 Age=<unknown> Containers=web,log Images=nginx:1,tail Selector=app=x',
    ));
  it('warns of names that are no host names', () => {
    const object = created(deployments, { ...of({}), metadata: { name: 'a.b' } });
    assert.deepEqual(deployments.warnings?.(object, undefined), [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    ]);
  });
});

describe('replica sets', () => {
  it('row', () =>
    assert.equal(
      row(replicaSets, of({ replicas: 3 }, { replicas: 2, readyReplicas: 1 })),
      'Name=x Desired=3 Current=2 Ready=1 Age=<unknown> Containers=web,log Images=nginx:1,tail Selector=app=x',
    ));
  it('no selector', () => assert.equal(createErrors(replicaSets, of({ selector: undefined }))[0], 'spec.selector: Required value'));
});

describe('daemon sets', () => {
  it('row', () =>
    assert.equal(
      row(daemonSets, of({}, { desiredNumberScheduled: 2, currentNumberScheduled: 2, numberReady: 1 })),
      'Name=x Desired=2 Current=2 Ready=1 Up-to-date=0 Available=0 Node Selector=<none> Age=<unknown> Containers=web,log Images=nginx:1,tail Selector=app=x',
    ));
  it('either surge or unavailability', () => {
    const update = (rollingUpdate: object) => createErrors(daemonSets, of({ updateStrategy: { rollingUpdate } }));
    assert.deepEqual(update({}), []);
    assert.deepEqual(update({ maxSurge: 1 }), [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ]);
    assert.deepEqual(update({ maxSurge: 0, maxUnavailable: 0 }), [
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
    ]);
  });
  it('count the changes of their template', () => {
    const set = created(daemonSets, of({}));
    assert.equal(set.metadata.annotations?.['deprecated.daemonset.template.generation'], '1');
  });
});

describe('stateful sets', () => {
  const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
  const mounting = {
    ...template,
    spec: { containers: [{ name: 'db', image: 'redis', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
  };
  it('row', () =>
    assert.equal(
      row(statefulSets, of({ replicas: 2 }, { readyReplicas: 1 })),
      'Name=x Ready=1/2 Age=<unknown> Containers=web,log Images=nginx:1,tail',
    ));
  it('claims are volumes of the containers', () => {
    assert.deepEqual(createErrors(statefulSets, of({ template: mounting, volumeClaimTemplates: [claim] })), []);
    assert.deepEqual(createErrors(statefulSets, of({ template: mounting })), [
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ]);
  });
  it('little may change', () => {
    assert.deepEqual(
      updateErrors(statefulSets, of({ replicas: 1 }), of({ replicas: 2, template: mounting, volumeClaimTemplates: [claim] })),
      [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    );
    assert.deepEqual(updateErrors(statefulSets, of({ replicas: 1 }), of({ replicas: 2 })), []);
  });
});
