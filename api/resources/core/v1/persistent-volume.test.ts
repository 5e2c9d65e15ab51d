import assert from 'node:assert/strict';
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../../../types/core-v1.ts';
import { created, createErrors } from '../../testing/strategy.ts';
import { persistentVolumeClaims } from './persistent-volume-claim.ts';
import { persistentVolumes } from './persistent-volume.ts';

describe('sources of PersistentVolumes', () => {
  const base: PersistentVolumeSpec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };
  const one = 'Forbidden: may not specify more than 1 volume type';
  const csi = { driver: 'd.x', volumeHandle: 'h' };
  const cases: readonly (readonly [title: string, spec: object, expected: readonly string[]])[] = [
    ['none', {}, ['spec: Required value: must specify a volume type']],
    [
      'the first counts',
      { nfs: { server: '', path: 'x' }, csi },
      ['spec.nfs.server: Required value', 'spec.nfs.path: Invalid value: "x": must be an absolute path', `spec.csi: ${one}`],
    ],
    ['flexVolume counts always', { hostPath: { path: '/x' }, flexVolume: { driver: '' } }, ['spec.flexVolume.driver: Required value']],
    ['cephfs has another name', { hostPath: { path: '/x' }, cephfs: { monitors: [] } }, [`spec.cephFS: ${one}`]],
    [
      'a disk of Azure',
      { azureDisk: { diskName: '', diskURI: '', cachingMode: 'x' } },
      [
        'spec.azureDisk.diskName: Required value',
        'spec.azureDisk.diskURI: Required value',
        'spec.azureDisk.cachingMode: Unsupported value: "x": supported values: "None", "ReadOnly", "ReadWrite"',
        'spec.azureDisk.diskURI: Unsupported value: "": supported values: "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
      ],
    ],
    [
      'a share of Azure',
      { azureFile: { secretName: 's', shareName: 's', secretNamespace: '' } },
      ['spec.azureFile.secretNamespace: Required value'],
    ],
    [
      'secrets have namespaces',
      { csi: { ...csi, controllerExpandSecretRef: {}, nodePublishSecretRef: { name: 's', namespace: 'n' } } },
      ['spec.csi.controllerExpandSecretRef.name: Required value', 'spec.csi.controllerExpandSecretRef.namespace: Required value'],
    ],
    ['a volume of Cinder', { cinder: { volumeID: 'v', secretRef: { name: 's' } } }, ['spec.cinder.secretRef.namespace: Required value']],
    [
      'Gluster',
      { glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } },
      ['spec.glusterfs.endpointsNamespace: Invalid value: "": if the endpointnamespace is set, it must be a valid namespace name'],
    ],
    [
      'local without a node',
      { local: { path: '/a/../b' } },
      [
        `spec.local.path: Invalid value: "/a/../b": must not contain '..'`,
        'spec.nodeAffinity: Required value: Local volume requires node affinity',
      ],
    ],
    [
      'values of labels may be any',
      {
        csi,
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['no label!'] }] }] } },
      },
      [],
    ],
  ];
  for (const [title, spec, expected] of cases)
    it(title, () => assert.deepEqual(createErrors(persistentVolumes, { metadata: { name: 'x' }, spec: { ...base, ...spec } }), expected));
});

describe('sources of claims', () => {
  const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
  const other = { apiGroup: 'example.com', kind: 'Backup', name: 'b' };
  const cases: readonly (readonly [title: string, spec: PersistentVolumeClaimSpec, expected: PersistentVolumeClaimSpec])[] = [
    ['fill each other', { dataSource: snapshot }, { dataSource: snapshot, dataSourceRef: snapshot }],
    ['fill each other, the newer first', { dataSourceRef: other }, { dataSource: other, dataSourceRef: other }],
    ['are dropped where the older one cannot be', { dataSource: other }, {}],
    ['are not of other namespaces', { dataSourceRef: { ...other, namespace: 'n' } }, {}],
  ];
  for (const [title, spec, expected] of cases) {
    it(title, () => {
      const { dataSource, dataSourceRef } = created(persistentVolumeClaims, { spec }).spec ?? {};
      assert.deepEqual({ ...(dataSource ? { dataSource } : {}), ...(dataSourceRef ? { dataSourceRef } : {}) }, expected);
    });
  }
});
