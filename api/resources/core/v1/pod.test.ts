import assert from 'node:assert/strict';
import { FieldPath } from '../../../validation/field-path.ts';
import { created, createErrors, defaulted, row, updateErrors } from '../../testing/strategy.ts';
import { pods } from './pod.ts';

const container = { name: 'main', image: 'nginx' };
const podOf = (spec: object, more: object = {}) => ({
  metadata: { name: 'x', namespace: 'default' },
  spec: { containers: [container], ...spec },
  ...more,
});

describe('pods: validation', () => {
  const cases: [string, object, string[]][] = [
    ['a small Pod', podOf({}), []],
    ['no containers', podOf({ containers: [] }), ['spec.containers: Required value']],
    [
      'a container without anything',
      podOf({ containers: [{}] }),
      ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
    ],
    ['two containers of a name', podOf({ containers: [container, container] }), ['spec.containers[1].name: Duplicate value: "main"']],
    [
      'a name that is none',
      podOf({ containers: [{ ...container, name: 'A' }] }),
      [
        `spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
      ],
    ],
    [
      'ports',
      podOf({ containers: [{ ...container, ports: [{ containerPort: 0 }, { containerPort: 70_000, protocol: 'HTTP' }] }] }),
      [
        'spec.containers[0].ports[0].containerPort: Required value',
        'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.containers[0].ports[1].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
    [
      'processes of Windows nodes',
      podOf({
        securityContext: { windowsOptions: { hostProcess: true } },
        containers: [container, { ...container, name: 'b', securityContext: { windowsOptions: { hostProcess: false } } }],
      }),
      [
        'spec.containers[1].securityContext.windowsOptions.hostProcess: Invalid value: false: pod hostProcess value must be identical if both are specified, was true',
        'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
        'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
      ],
    ],
    [
      'a profile of no type',
      podOf({ securityContext: { appArmorProfile: { localhostProfile: 'x' } } }),
      ['spec.securityContext.appArmorProfile.type: Required value: type is required when appArmorProfile is set'],
    ],
    [
      'unknown restart policy',
      podOf({ restartPolicy: 'Sometimes' }),
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'a mount of no volume',
      podOf({ containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
    ],
    [
      'volumes',
      podOf({
        volumes: [
          { name: 'a', emptyDir: {}, hostPath: { path: '/x' } },
          { name: 'b', secret: {} },
          { name: 'c', hostPath: { path: '/a/../b' } },
        ],
      }),
      [
        'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
        'spec.volumes[1].secret.secretName: Required value',
        'spec.volumes[2].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
      ],
    ],
    [
      'requests above limits',
      podOf({ containers: [{ ...container, resources: { requests: { cpu: '2', 'nvidia.com/gpu': '1' }, limits: { cpu: '1' } } }] }),
      [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
      ],
    ],
    [
      'a resource nobody knows',
      podOf({ containers: [{ ...container, resources: { limits: { ram: '1' } } }] }),
      [
        'spec.containers[0].resources.limits[ram]: Invalid value: "ram": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.limits[ram]: Invalid value: "ram": must be a standard resource for containers',
        'spec.containers[0].resources.requests[ram]: Invalid value: "ram": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[ram]: Invalid value: "ram": must be a standard resource for containers',
      ],
    ],
    [
      'probes',
      podOf({ containers: [{ ...container, livenessProbe: { httpGet: { port: 'web!' }, successThreshold: 2 }, readinessProbe: {} }] }),
      [
        'spec.containers[0].livenessProbe.httpGet.port: Invalid value: "web!": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
        'spec.containers[0].readinessProbe: Required value: must specify a handler type',
      ],
    ],
    [
      'environment',
      podOf({
        containers: [
          {
            ...container,
            env: [
              { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: 'spec.color' } } },
              { name: '' },
            ],
          },
        ],
      }),
      [
        'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        'spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: "spec.color": error converting fieldPath: field label not supported: spec.color',
        'spec.containers[0].env[2].name: Required value',
      ],
    ],
    [
      'init containers have no probes, sidecars do',
      podOf({
        initContainers: [
          { name: 'i', image: 'b', readinessProbe: { tcpSocket: { port: 80 } } },
          { name: 's', image: 'b', restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 80 } } },
        ],
      }),
      ['spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always'],
    ],
    [
      'tolerations',
      podOf({
        tolerations: [
          { effect: 'NoSchedule' },
          { key: 'a', operator: 'Exists', value: 'b' },
          { key: 'a', operator: 'Exists', tolerationSeconds: 3 },
        ],
      }),
      [
        'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[1].operator: Invalid value: "b": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[2].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
    ],
    ['dnsPolicy None', podOf({ dnsPolicy: 'None' }), ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None']],
    [
      'privileged without escalation',
      podOf({ containers: [{ ...container, securityContext: { privileged: true, allowPrivilegeEscalation: false } }] }),
      [
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
    [
      'ephemeral containers on create',
      podOf({ ephemeralContainers: [{ name: 'd', image: 'b' }] }),
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
  ];
  for (const [name, pod, expected] of cases) it(name, () => assert.deepEqual(createErrors(pods, pod), expected));
});

describe('pods: update', () => {
  const before = podOf({});
  it('images may change', () =>
    assert.deepEqual(
      updateErrors(pods, before, podOf({ containers: [{ ...container, image: 'nginx:1', imagePullPolicy: 'Always' }] })),
      [],
    ));
  it('hardly anything else may', () => {
    const [error = '', ...rest] = updateErrors(pods, before, podOf({ restartPolicy: 'Never' }));
    assert.deepEqual(rest, []);
    assert.equal(
      error.split('\n')[0],
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    );
    assert.match(error, /\n- "restartPolicy": "Always"[^]*\n\+ "restartPolicy": "Never"/);
  });
  it('containers come and go with the Pod', () =>
    assert.deepEqual(updateErrors(pods, before, podOf({ containers: [container, { name: 'b', image: 'b' }] })), [
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ]));
  it('tolerations can be added', () => assert.deepEqual(updateErrors(pods, before, podOf({ tolerations: [{ operator: 'Exists' }] })), []));
  it('gates can only go, and hold back narrowing selectors', () => {
    const gated = podOf({ schedulingGates: [{ name: 'a/b' }] });
    assert.deepEqual(updateErrors(pods, gated, podOf({ nodeSelector: { zone: 'a' } })), []);
    assert.deepEqual(updateErrors(pods, before, gated), [
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a/b'",
    ]);
  });
  it('what has ended does not come back', () => {
    const status = (state: object) => ({ ...podOf({ restartPolicy: 'Never' }), status: { containerStatuses: [{ name: 'main', state }] } });
    assert.deepEqual(updateErrors(pods, status({ terminated: { exitCode: 0 } }), status({ running: {} }), 'status'), [
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ]);
  });
});

describe('pods: defaults and preparation', () => {
  it('mirror the service account and addresses', () => {
    const pod = defaulted(pods, podOf({ serviceAccount: 'robot' }, { status: { podIP: '10.0.0.1' } }));
    assert.equal(pod.spec?.serviceAccountName, 'robot');
    assert.deepEqual(pod.status?.podIPs, [{ ip: '10.0.0.1' }]);
  });
  it('take a negative grace period for one second', () => {
    for (const [given, stored] of [
      [-1, 1],
      [0, 0],
      [5, 5],
    ])
      assert.equal(defaulted(pods, podOf({ terminationGracePeriodSeconds: given })).spec?.terminationGracePeriodSeconds, stored);
  });
  it('start Pending with their QoS class, gated ones unscheduled', () => {
    assert.deepEqual(created(pods, podOf({}, { status: { phase: 'Running' } })).status, { phase: 'Pending', qosClass: 'BestEffort' });
    assert.equal(created(pods, podOf({ schedulingGates: [{ name: 'a/b' }] })).status?.conditions?.[0]?.reason, 'SchedulingGated');
  });
  it('merge their own labels into selectors', () => {
    const constraint = {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: {},
      matchLabelKeys: ['pod-template-hash'],
    };
    const pod = created(pods, {
      ...podOf({ topologySpreadConstraints: [constraint] }),
      metadata: { labels: { 'pod-template-hash': 'abc' } },
    });
    assert.deepEqual(pod.spec?.topologySpreadConstraints?.[0]?.labelSelector, {
      matchExpressions: [{ key: 'pod-template-hash', operator: 'In', values: ['abc'] }],
    });
  });
  it('end at once where nothing runs', () => {
    const bound = podOf({ nodeName: 'n1', terminationGracePeriodSeconds: 60 });
    const grace = (pod: object, requested?: number) => pods.gracePeriodSeconds?.(defaulted(pods, pod), requested);
    assert.equal(grace(podOf({})), 0);
    assert.equal(grace(bound), 60);
    assert.equal(grace(bound, 5), 5);
    assert.equal(grace(bound, -1), 1);
    assert.equal(grace({ ...bound, status: { phase: 'Failed' } }), 0);
  });
  it('warn of ports that are there twice', () => {
    const pod = defaulted(pods, podOf({ containers: [{ ...container, ports: [{ containerPort: 80 }, { containerPort: 80 }] }] }));
    assert.deepEqual(pods.warnings?.(pod, undefined), [
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
    ]);
    assert.equal(FieldPath.root.toString(), '<nil>');
  });
});

describe('pods: table', () => {
  const at = (minutes: number) => new Date(1_767_225_600_000 - minutes * 60_000).toISOString().replace('.000', '');
  const running = { ready: true, started: true, restartCount: 0, name: 'main', state: { running: {} } };
  const cases: [string, object, object, string][] = [
    ['pending', {}, { phase: 'Pending' }, 'Ready=0/1 Status=Pending Restarts=0'],
    [
      'creating',
      {},
      { phase: 'Pending', containerStatuses: [{ name: 'main', state: { waiting: { reason: 'ContainerCreating' } } }] },
      'Ready=0/1 Status=ContainerCreating Restarts=0',
    ],
    ['running', {}, { phase: 'Running', containerStatuses: [running] }, 'Ready=1/1 Status=Running Restarts=0'],
    [
      'crash loop',
      {},
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'main',
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: at(5) } },
          },
        ],
      },
      'Ready=0/1 Status=CrashLoopBackOff Restarts=2 (5m ago)',
    ],
    [
      'completed',
      {},
      { phase: 'Succeeded', containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 0, reason: 'Completed' } } }] },
      'Ready=0/1 Status=Completed Restarts=0',
    ],
    [
      'killed',
      {},
      { phase: 'Failed', containerStatuses: [{ name: 'main', state: { terminated: { signal: 9 } } }] },
      'Ready=0/1 Status=Signal:9 Restarts=0',
    ],
    ['evicted', {}, { phase: 'Failed', reason: 'Evicted' }, 'Ready=0/1 Status=Evicted Restarts=0'],
    [
      'initialising',
      { initContainers: [{ name: 'i' }, { name: 'j' }] },
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', state: { terminated: { exitCode: 0 } } },
          { name: 'j', state: { running: {} } },
        ],
      },
      'Ready=0/1 Status=Init:1/2 Restarts=0',
    ],
    [
      'failed to initialise',
      { initContainers: [{ name: 'i' }] },
      {
        phase: 'Pending',
        initContainerStatuses: [{ name: 'i', restartCount: 3, state: { terminated: { exitCode: 2, reason: 'Error' } } }],
      },
      'Ready=0/1 Status=Init:Error Restarts=3',
    ],
    [
      'with a sidecar',
      { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      { phase: 'Running', initContainerStatuses: [{ ...running, name: 's' }], containerStatuses: [running] },
      'Ready=2/2 Status=Running Restarts=0',
    ],
    [
      'gated',
      {},
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      'Ready=0/1 Status=SchedulingGated Restarts=0',
    ],
  ];
  for (const [name, spec, status, expected] of cases) {
    it(name, () =>
      assert.ok(row(pods, podOf(spec, { status })).startsWith(`Name=x ${expected} Age=<unknown>`), row(pods, podOf(spec, { status }))),
    );
  }
  it('terminating, and wide', () => {
    const pod = {
      metadata: { name: 'x', creationTimestamp: at(130), deletionTimestamp: at(1) },
      spec: { containers: [container], nodeName: 'n1', readinessGates: [{ conditionType: 'a' }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], containerStatuses: [running] },
    };
    assert.equal(
      row(pods, pod),
      'Name=x Ready=1/1 Status=Terminating Restarts=0 Age=130m IP=10.0.0.1 Node=n1 Nominated Node=<none> Readiness Gates=0/1',
    );
    assert.match(row(pods, { ...pod, status: { ...pod.status, reason: 'NodeLost' } }), /Status=Unknown/);
  });
});
