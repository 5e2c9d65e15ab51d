import assert from 'node:assert/strict';
import { createErrors } from '../../../../testing/strategy.ts';
import { FieldPath } from '../../../../../validation/field-path.ts';
import { pods } from '../../pod.ts';
import { podWarnings } from '../pod-warnings.ts';

const podOf = (spec: object) => ({ metadata: { name: 'p', namespace: 'n' }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
const volume = (source: object) => podOf({ volumes: [{ name: 'v', ...source }] });

describe('volumes of drivers that were part of Kubernetes', () => {
  const cases: [name: string, source: object, errors: string[]][] = [
    [
      'a disk without a name, by the path of old',
      { gcePersistentDisk: { pdName: '' } },
      ['spec.volumes[0].persistentDisk.pdName: Required value'],
    ],
    [
      'a partition out of range',
      { awsElasticBlockStore: { volumeID: 'd', partition: 256 } },
      ['spec.volumes[0].awsElasticBlockStore.partition: Invalid value: 256: must be between 1 and 255, inclusive'],
    ],
    ['Ceph without monitors', { rbd: { monitors: [], image: 'i' } }, ['spec.volumes[0].rbd.monitors: Required value']],
    [
      'a Flocker dataset without a name',
      { flocker: {} },
      ['spec.volumes[0].flocker: Required value: one of datasetName and datasetUUID is required'],
    ],
    [
      'a Quobyte registry without a port',
      { quobyte: { registry: 'host', volume: 'v' } },
      ['spec.volumes[0].quobyte.registry: Invalid value: "host": must be a host:port pair or multiple pairs separated by commas'],
    ],
    [
      'Fibre Channel without a unit number',
      { fc: { targetWWNs: ['a'] } },
      ['spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified'],
    ],
    [
      'an option in a namespace of Kubernetes',
      { flexVolume: { driver: 'd', options: { 'k8s.io/x': 'y' } } },
      ['spec.volumes[0].flexVolume.options[k8s.io/x]: Invalid value: "k8s.io/x": kubernetes.io and k8s.io namespaces are reserved'],
    ],
    [
      'an iSCSI name of no kind',
      { iscsi: { targetPortal: 'h', iqn: 'x', lun: 0 } },
      ['spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa'],
    ],
    [
      'an iSCSI name without a date',
      { iscsi: { targetPortal: 'h', iqn: 'iqn.x', lun: 0 } },
      ['spec.volumes[0].iscsi.iqn: Invalid value: "iqn.x": must be valid format'],
    ],
    [
      'a second volume',
      { emptyDir: {}, cephfs: { monitors: ['m'] } },
      ['spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'metadata of a claim to be',
      {
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { finalizers: ['x/y'] },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } },
          },
        },
      },
      ['spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.finalizers: Forbidden: cannot be set'],
    ],
  ];
  for (const [name, source, errors] of cases) it(name, () => assert.deepEqual(createErrors(pods, volume(source)), errors));
});

describe('Pods of an operating system', () => {
  it('refuses what Windows has nothing for', () => {
    const spec = {
      os: { name: 'windows' },
      hostPID: true,
      securityContext: { fsGroup: 1 },
      containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }],
    };
    assert.deepEqual(createErrors(pods, podOf(spec)), [
      'spec.hostPID: Forbidden: cannot be set for a windows pod',
      'spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod',
      'spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod',
    ]);
  });
  it('refuses what is for Windows on Linux', () =>
    assert.deepEqual(createErrors(pods, podOf({ os: { name: 'linux' }, securityContext: { windowsOptions: {} } })), [
      'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ]));
  it('wants a name', () => assert.deepEqual(createErrors(pods, podOf({ os: {} })), ['spec.os.name: Required value: cannot be empty']));
});

describe('warnings of Pods', () => {
  const warnings = (spec: object) => podWarnings({ metadata: {}, spec: { containers: [], ...spec } }, FieldPath.root);
  it('names files that hide one another', () => {
    const sources = [{ serviceAccountToken: { path: 'a' } }, { configMap: { name: 'm', items: [{ key: 'k', path: 'a/b' }] } }, {}];
    assert.deepEqual(warnings({ volumes: [{ name: 'v', projected: { sources } }] }), [
      'volume "v" (Projected) has no sources provided',
      'volume "v" (Projected): overlapping paths: "a/b" (ConfigMap "m") with "a" (ServiceAccountToken)',
    ]);
  });
  it('names an address without a port, as Go prints it', () =>
    assert.deepEqual(warnings({ containers: [{ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP', hostIP: '10.0.0.1' }] }] }), [
      'spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}',
    ]));
  it('names parts of bytes in claims to be', () =>
    assert.deepEqual(
      warnings({
        volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '1500m' } } } } } }],
      }),
      [
        'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
      ],
    ));
});
