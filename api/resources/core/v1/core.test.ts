import assert from 'node:assert/strict';
import { created, createErrors, defaulted, row, updateErrors } from '../../testing/strategy.ts';
import { configMaps } from './config-map.ts';
import { endpoints } from './endpoints.ts';
import { limitRanges } from './limit-range.ts';
import { namespaces } from './namespace.ts';
import { nodes } from './node.ts';
import { persistentVolumeClaims } from './persistent-volume-claim.ts';
import { persistentVolumes } from './persistent-volume.ts';
import { replicationControllers } from './replication-controller.ts';
import { resourceQuotas } from './resource-quota.ts';
import { secrets } from './secret.ts';
import { services } from './service.ts';

const metadata = { name: 'x', namespace: 'default' };

describe('services', () => {
  const port = { port: 80, targetPort: 8080 };
  const service = (spec: object) => ({ metadata, spec: { ports: [port], ...spec } });
  const cases: [string, object, string[]][] = [
    ['a small one', service({ clusterIP: '10.96.0.5' }), []],
    ['no ports', service({ ports: [] }), ['spec.ports: Required value']],
    ['headless needs none', service({ ports: [], clusterIP: 'None' }), []],
    [
      'several ports have names',
      service({ ports: [port, { port: 81 }] }),
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'the same port twice',
      service({
        ports: [
          { ...port, name: 'a' },
          { ...port, name: 'b' },
        ],
      }),
      ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
    ],
    [
      'a node port of a ClusterIP',
      service({ ports: [{ ...port, nodePort: 30_080 }] }),
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'an unknown type',
      service({ type: 'Magic' }),
      ['spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ],
    ['ExternalName without one', service({ type: 'ExternalName', ports: [] }), ['spec.externalName: Required value']],
    [
      'headless node ports',
      service({ type: 'NodePort', clusterIP: 'None' }),
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'an address that is none',
      service({ clusterIP: '10.0.0' }),
      ['spec.clusterIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'the loopback address from outside',
      service({ externalIPs: ['127.0.0.1'] }),
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
    [
      'a port of 0',
      service({ ports: [{ port: 0, targetPort: 1 }] }),
      ['spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    ],
  ];
  for (const [name, object, expected] of cases) it(name, () => assert.deepEqual(createErrors(services, object), expected));

  it('names may begin with a digit', () =>
    assert.deepEqual(createErrors(services, { ...service({}), metadata: { ...metadata, name: '1st' } }), []));
  it('addresses stay', () => {
    const before = service({ clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] });
    assert.deepEqual(updateErrors(services, before, service({})), []);
    assert.deepEqual(updateErrors(services, before, service({ clusterIP: '10.96.0.6', clusterIPs: ['10.96.0.6'] })), [
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set',
    ]);
    // A client that replaces one of the two fields and leaves out the other means both.
    assert.deepEqual(updateErrors(services, before, service({ clusterIP: '10.96.0.6' })), [
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set',
    ]);
  });
  it('a manifest without what was allocated changes nothing', () => {
    const allocated = { type: 'NodePort', clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [{ ...port, nodePort: 30_080 }] };
    const old = defaulted(services, service(allocated));
    const again = defaulted(services, service({ type: 'NodePort' }));
    services.prepareForUpdate?.(again, old, { nowMs: 0, operation: 'update', subresource: '', user: { name: '', groups: [] } });
    assert.deepEqual([again.spec?.clusterIPs, again.spec?.ports?.[0]?.nodePort], [['10.96.0.5'], 30_080]);
  });
  it('another type drops what it has no use for', () => {
    const old = defaulted(
      services,
      service({ type: 'NodePort', clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [{ ...port, nodePort: 30_080 }] }),
    );
    const changed = structuredClone(old);
    if (changed.spec) changed.spec.type = 'ClusterIP';
    services.prepareForUpdate?.(changed, old, { nowMs: 0, operation: 'update', subresource: '', user: { name: '', groups: [] } });
    assert.deepEqual([changed.spec?.ports?.[0]?.nodePort, changed.spec?.externalTrafficPolicy], [undefined, undefined]);
  });
  it('rows', () => {
    assert.equal(
      row(services, {
        ...service({
          type: 'NodePort',
          clusterIPs: ['10.96.0.5'],
          ports: [
            { port: 80, nodePort: 30_080, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
          selector: { app: 'x' },
        }),
      }),
      'Name=x Type=NodePort Cluster-IP=10.96.0.5 External-IP=<none> Port(s)=80:30080/TCP,53/UDP Age=<unknown> Selector=app=x',
    );
    assert.match(row(services, service({ type: 'LoadBalancer' })), /External-IP=<pending>/);
  });
});

describe('config maps and secrets', () => {
  it('keys', () =>
    assert.deepEqual(createErrors(configMaps, { metadata, data: { 'a b': '', ok: '', '..': '' }, binaryData: { ok: '' } }), [
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'data[ok]: Invalid value: "ok": duplicate of key present in binaryData',
      'data[..]: Invalid value: "..": must not be \'..\'',
    ]));
  it('size', () =>
    assert.deepEqual(createErrors(configMaps, { metadata, data: { a: 'x'.repeat(1_048_577) } }), [
      '[]: Too long: may not be more than 1048576 bytes',
    ]));
  it('immutable stays', () => {
    const before = { metadata, immutable: true, data: { a: '1' } };
    assert.deepEqual(updateErrors(configMaps, before, { ...before, data: { a: '2' } }), [
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
    assert.deepEqual(updateErrors(configMaps, before, { metadata, data: { a: '1' } }), [
      'immutable: Forbidden: field is immutable when `immutable` is set',
    ]);
  });
  it('stringData becomes data', () => {
    const secret = defaulted(secrets, { metadata, data: { a: 'MQ==' }, stringData: { b: 'ü', a: '2' } });
    assert.deepEqual([secret.data, secret.stringData], [{ a: 'Mg==', b: 'w7w=' }, undefined]);
  });
  it('types of secrets', () => {
    const of = (type: string, data: object = {}) => createErrors(secrets, { metadata, type, data });
    assert.deepEqual(of('kubernetes.io/tls'), ['data[tls.crt]: Required value', 'data[tls.key]: Required value']);
    assert.deepEqual(of('kubernetes.io/basic-auth'), ['data[username]: Required value', 'data[password]: Required value']);
    assert.deepEqual(of('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': 'eA==' }), [
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'x\' looking for beginning of value',
    ]);
    for (const [text, problem] of [
      ['{}', undefined],
      ['', 'unexpected end of JSON input'],
      ['{bad', "invalid character 'b' looking for beginning of object key string"],
      ['1.5', 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
    ] as const) {
      const expected = problem === undefined ? [] : [`data[.dockercfg]: Invalid value: "<secret contents redacted>": ${problem}`];
      assert.deepEqual(of('kubernetes.io/dockercfg', { '.dockercfg': btoa(text) }), expected, text);
    }
    assert.deepEqual(of('kubernetes.io/service-account-token'), [
      'metadata.annotations[kubernetes.io/service-account.name]: Required value',
    ]);
  });
  it('the type stays', () =>
    assert.deepEqual(updateErrors(secrets, { metadata }, { metadata, type: 'a/b' }), ['type: Invalid value: "a/b": field is immutable']));
});

describe('namespaces and nodes', () => {
  it('namespaces start active, with their finalizer and label', () => {
    const namespace = created(namespaces, { metadata: { name: 'a' }, status: { phase: 'Terminating' } });
    assert.deepEqual(namespace.spec, { finalizers: ['kubernetes'] });
    assert.deepEqual(namespace.status, { phase: 'Active' });
    assert.equal(namespace.metadata.labels?.['kubernetes.io/metadata.name'], 'a');
  });
  it('namespaces end only while being deleted', () =>
    assert.deepEqual(
      updateErrors(namespaces, { metadata: { name: 'a' } }, { metadata: { name: 'a' }, status: { phase: 'Terminating' } }, 'status'),
      ['status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'],
    ));
  it('nodes', () => {
    const node = {
      metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'web' } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: { kubeletVersion: 'v1.36.0', osImage: 'Debian' },
      },
    };
    assert.equal(
      row(nodes, node),
      'Name=n1 Status=Ready,SchedulingDisabled Roles=web,worker Age=<unknown> Version=v1.36.0 Internal-IP=10.0.0.1 External-IP=<none> OS-Image=Debian Kernel-Version=<unknown> Container-Runtime=<unknown>',
    );
    assert.deepEqual(
      createErrors(nodes, {
        metadata: { name: 'n1' },
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', effect: 'NoSchedule' },
          ],
        },
      }),
      ['metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair'],
    );
    assert.deepEqual(updateErrors(nodes, { metadata, spec: { podCIDR: '10.0.0.0/24' } }, { metadata, spec: { podCIDR: '10.0.1.0/24' } }), [
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ]);
  });
});

describe('volumes', () => {
  const claim = (spec: object, status: object = {}) => ({
    metadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    status,
  });
  it('claims', () => {
    assert.deepEqual(createErrors(persistentVolumeClaims, claim({})), []);
    assert.deepEqual(createErrors(persistentVolumeClaims, { metadata, spec: {} }), [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ]);
    const [error = ''] = updateErrors(persistentVolumeClaims, claim({}), claim({ accessModes: ['ReadWriteMany'] }));
    assert.match(
      error,
      /^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n@@/,
    );
    const bound = { phase: 'Bound', capacity: { storage: '1Gi' } };
    assert.deepEqual(
      updateErrors(persistentVolumeClaims, claim({}, bound), claim({ resources: { requests: { storage: '2Gi' } } }, bound)),
      [],
    );
    assert.equal(
      row(persistentVolumeClaims, claim({ volumeName: 'v', storageClassName: 'fast' }, { ...bound, accessModes: ['ReadWriteOnce'] })),
      'Name=x Status=Bound Volume=v Capacity=1Gi Access Modes=RWO StorageClass=fast VolumeAttributesClass=<unset> Age=<unknown> VolumeMode=<unset>',
    );
  });
  it('volumes', () => {
    const volume = {
      metadata: { name: 'v' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
    };
    assert.deepEqual(createErrors(persistentVolumes, volume), []);
    assert.deepEqual(createErrors(persistentVolumes, { metadata: { name: 'v' }, spec: {} }), [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec.capacity: Unsupported value: {}: supported values: "storage"',
      'spec: Required value: must specify a volume type',
    ]);
    const moved = { ...volume, spec: { ...volume.spec, hostPath: { path: '/other' } } };
    assert.match(
      updateErrors(persistentVolumes, volume, moved)[0] ?? '',
      /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after creation\n/,
    );
  });
});

describe('limits, quotas, endpoints and replication controllers', () => {
  it('limit ranges', () => {
    const limits = [
      { type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } },
      { type: 'Pod', default: { cpu: '1' } },
    ];
    assert.deepEqual(createErrors(limitRanges, { metadata, spec: { limits } }).slice(0, 1), [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    ]);
    assert.ok(
      createErrors(limitRanges, { metadata, spec: { limits } }).includes(
        "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'",
      ),
    );
  });
  it('quotas', () => {
    assert.deepEqual(
      createErrors(resourceQuotas, {
        metadata,
        spec: { hard: { pods: '10', 'count/jobs.batch': '1', wings: '2' }, scopes: ['BestEffort', 'NotBestEffort'] },
      }),
      [
        'spec.hard[wings]: Invalid value: "wings": must be a standard resource type or fully qualified',
        'spec.hard[wings]: Invalid value: "wings": must be a standard resource for quota',
        'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
      ],
    );
    const scopeSelector = { matchExpressions: [{ scopeName: 'BestEffort', operator: 'Exists' }] };
    const notApplied = 'unsupported scope applied to resource';
    for (const [spec, expected] of [
      [{ hard: { pods: '1', cpu: '1' }, scopes: ['NotTerminating'] }, []],
      [{ hard: { services: '1' }, scopes: ['NotTerminating'] }, [`spec.scopes: Invalid value: ["NotTerminating"]: ${notApplied}`]],
      [{ hard: { cpu: '1' }, scopes: ['BestEffort'] }, [`spec.scopes: Invalid value: ["BestEffort"]: ${notApplied}`]],
      [{ hard: { 'count/jobs.batch': '1' }, scopes: ['Terminating'] }, []],
      [
        { hard: { pods: '1' }, scopes: ['VolumeAttributesClass'] },
        [`spec.scopes: Invalid value: ["VolumeAttributesClass"]: ${notApplied}`],
      ],
      [{ hard: { pods: '1' }, scopeSelector }, []],
      [
        { hard: { secrets: '1' }, scopeSelector },
        [`spec.scopeSelector.matchExpressions: Invalid value: ${JSON.stringify(scopeSelector)}: ${notApplied}`],
      ],
    ] as const)
      assert.deepEqual(createErrors(resourceQuotas, { metadata, spec }), expected);
    const status = { hard: { 'limits.cpu': '4', pods: '10' }, used: { pods: '3' } };
    assert.equal(row(resourceQuotas, { metadata, status }), 'Name=x Request=pods: 3/10 Limit=limits.cpu: 0/4 Age=<unknown>');
  });
  it('endpoints', () => {
    const subsets = [
      {
        addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }],
        ports: [
          { port: 80, protocol: 'TCP', name: 'a' },
          { port: 81, protocol: 'TCP', name: 'b' },
        ],
      },
    ];
    assert.equal(row(endpoints, { metadata, subsets }), 'Name=x Endpoints=10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more... Age=<unknown>');
    assert.deepEqual(createErrors(endpoints, { metadata, subsets: [{ ports: [] }] }), [
      'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
    ]);
  });
  it('replication controllers', () => {
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    assert.deepEqual(defaulted(replicationControllers, { metadata, spec: { template } }).spec?.selector, { app: 'x' });
    assert.deepEqual(createErrors(replicationControllers, { metadata, spec: { template, selector: { app: 'y' } } }), [
      'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
    ]);
  });
});
