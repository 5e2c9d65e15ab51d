import assert from 'node:assert/strict';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../../types/core-v1.ts';
import { findMatchingVolume, findVolumeMismatch, type MatchOptions } from './match-volume.ts';

const claim = (spec: Partial<PersistentVolumeClaimSpec> = {}): PersistentVolumeClaim => ({
  metadata: { namespace: 'ns', name: 'data', uid: 'u1' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, ...spec },
});
const volume = (name: string, storage: string, spec: Partial<PersistentVolumeSpec> = {}): PersistentVolume => ({
  metadata: { name, labels: { disk: name } },
  spec: { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], capacity: { storage }, ...spec },
  status: { phase: 'Available' },
});
const ofNode = (name: string) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'host', operator: 'In' as const, values: [name] }] }] },
});
const node = { metadata: { name: 'n', labels: { host: 'a' } } };
const reservedFor = (name: string, uid?: string) => ({ claimRef: { namespace: 'ns', name, ...(uid === undefined ? {} : { uid }) } });

describe('findMatchingVolume', () => {
  const cases: [string, PersistentVolumeClaim, PersistentVolume[], MatchOptions, string | undefined][] = [
    ['takes the smallest that is large enough', claim(), [volume('a', '50Gi'), volume('b', '6Gi'), volume('c', '4Gi')], {}, 'b'],
    ['finds none that is large enough', claim(), [volume('a', '5119Mi')], {}, undefined],
    ['needs every access mode', claim({ accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }), [volume('a', '5Gi')], {}, undefined],
    ['needs the class', claim({ storageClassName: 'fast' }), [volume('a', '5Gi')], {}, undefined],
    ['matches the class', claim({ storageClassName: 'fast' }), [volume('a', '5Gi', { storageClassName: 'fast' })], {}, 'a'],
    ['obeys the selector', claim({ selector: { matchLabels: { disk: 'b' } } }), [volume('a', '5Gi'), volume('b', '9Gi')], {}, 'b'],
    ['needs the mode', claim({ volumeMode: 'Block' }), [volume('a', '5Gi')], {}, undefined],
    ['needs the attributes class', claim({ volumeAttributesClassName: 'gold' }), [volume('a', '5Gi')], {}, undefined],
    [
      'prefers what is reserved for it, whatever its class',
      claim(),
      [volume('a', '5Gi'), volume('b', '9Gi', { ...reservedFor('data'), storageClassName: 'x' })],
      {},
      'b',
    ],
    ['leaves what is reserved for others', claim(), [volume('a', '5Gi', reservedFor('other'))], {}, undefined],
    ['leaves what is reserved for its predecessor', claim(), [volume('a', '5Gi', reservedFor('data', 'u0'))], {}, undefined],
    ['leaves what is not reserved to the scheduler', claim(), [volume('a', '5Gi')], { reservedOnly: true }, undefined],
    ['still takes what is reserved then', claim(), [volume('a', '5Gi', reservedFor('data'))], { reservedOnly: true }, 'a'],
    ['takes none that is promised', claim(), [volume('a', '5Gi')], { taken: new Set(['a']) }, undefined],
    [
      'takes what the node can reach',
      claim(),
      [volume('a', '5Gi', { nodeAffinity: ofNode('b') }), volume('b', '9Gi', { nodeAffinity: ofNode('a') })],
      { node },
      'b',
    ],
    [
      'takes nothing else if what is reserved cannot be reached',
      claim(),
      [volume('a', '5Gi'), volume('b', '9Gi', { ...reservedFor('data'), nodeAffinity: ofNode('b') })],
      { node },
      undefined,
    ],
    ['waits for volumes to become available', claim(), [{ ...volume('a', '5Gi'), status: { phase: 'Pending' } }], {}, undefined],
    [
      'leaves what is being deleted',
      claim(),
      [{ ...volume('a', '5Gi'), metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
      {},
      undefined,
    ],
  ];
  for (const [says, wanted, volumes, options, expected] of cases) {
    it(says, () => assert.equal(findMatchingVolume(wanted, volumes, options)?.metadata.name, expected));
  }
});

describe('findVolumeMismatch', () => {
  const cases: [PersistentVolumeClaim, PersistentVolume, string | undefined][] = [
    [claim(), volume('a', '5Gi'), undefined],
    [claim(), volume('a', '4Gi'), 'requested PV is too small'],
    [claim({ storageClassName: 'x' }), volume('a', '5Gi'), 'storageClassName does not match'],
    [claim({ volumeAttributesClassName: 'x' }), volume('a', '5Gi'), 'volumeAttributesClassName does not match'],
    [claim({ volumeMode: 'Block' }), volume('a', '5Gi'), 'incompatible volumeMode'],
    [claim({ accessModes: ['ReadWriteMany'] }), volume('a', '5Gi'), 'incompatible accessMode'],
    [
      claim(),
      { ...volume('a', '5Gi'), metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      'the volume is marked for deletion "a"',
    ],
  ];
  for (const [wanted, found, expected] of cases) {
    it(expected ?? 'is undefined for what fits', () => assert.equal(findVolumeMismatch(found, wanted), expected));
  }
});
