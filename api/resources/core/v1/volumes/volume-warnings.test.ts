import assert from 'node:assert/strict';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../../types/core-v1.ts';
import { FieldPath } from '../../../../validation/field-path.ts';
import { storageClasses } from '../../../storage/v1/storage-class.ts';
import { podWarnings } from '../pod-spec/pod-warnings.ts';
import { persistentVolumeClaimWarnings, persistentVolumeWarnings } from './volume-warnings.ts';

const metadata = { annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' } };
const classWarning =
  'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead';
const nodeSelectorTerms = [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' as const }] }];
const label = 'beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead';

describe('warnings of volumes and node labels', () => {
  it('volumes', () => {
    const spec = {
      persistentVolumeReclaimPolicy: 'Recycle',
      nodeAffinity: { required: { nodeSelectorTerms } },
      rbd: { monitors: [], image: 'x' },
    };
    assert.deepEqual(persistentVolumeWarnings({ metadata, spec } as PersistentVolume), [
      classWarning,
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      `spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: ${label}`,
      'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
    ]);
    assert.deepEqual(persistentVolumeWarnings({ metadata: {}, spec: { hostPath: { path: '/x' } } }), []);
  });
  it('claims', () => {
    const spec = { resources: { requests: { storage: '1500m' }, limits: { storage: '1Gi' } } };
    assert.deepEqual(persistentVolumeClaimWarnings({ metadata, spec } satisfies PersistentVolumeClaim), [
      classWarning,
      'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ]);
    assert.deepEqual(persistentVolumeClaimWarnings({ metadata: {} }), []);
  });
  it('classes', () => {
    const allowedTopologies = [{ matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['a'] }] }];
    assert.deepEqual(storageClasses.warnings?.({ metadata: {}, provisioner: 'x', allowedTopologies }, undefined), [
      'allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    ]);
  });
  it('affinity of Pods', () => {
    const nodeAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
      preferredDuringSchedulingIgnoredDuringExecution: nodeSelectorTerms.map((preference) => ({ weight: 1, preference })),
    };
    const pod: Pod = { metadata: {}, spec: { containers: [], affinity: { nodeAffinity } } };
    const at = 'spec.affinity.nodeAffinity';
    assert.deepEqual(podWarnings(pod, FieldPath.root), [
      `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: ${label}`,
      `${at}.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key: ${label}`,
    ]);
  });
});
