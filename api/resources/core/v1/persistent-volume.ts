import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { formatTime } from '../../../meta/time.ts';
import { quantityValue } from '../../../base/quantity/arithmetic.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { diffJSON } from '../../../resource/json-diff.ts';
import { validateChoice } from '../../../resource/field-rules.ts';
import { formatAccessModes, storageClassOf } from '../../../semantics/storage/persistent-volumes.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateAccessModes, validateClassName } from './volumes/persistent-volume-claim-spec.ts';
import { validateNodeSelector } from './pod-spec/affinity.ts';
import { sourceFields, validateVolumeSource } from './volumes/persistent-volume-source.ts';
import { persistentVolumeWarnings } from './volumes/volume-warnings.ts';

/** Storage that claims can be bound to. */
export const persistentVolumes = defineResource<PersistentVolume>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'PersistentVolume', plural: 'persistentvolumes', shortNames: ['pv'] },
  definition: 'io.k8s.api.core.v1.PersistentVolume',
  subresources: {
    status: { kind: 'PersistentVolume', verbs: ['get', 'patch', 'update'] },
  },
  tellsTwice: true,
  storagePrefix: 'persistentvolumes',
  printerColumns: [
    nameColumn,
    textColumn('Capacity', ({ spec }) => spec?.capacity?.storage ?? '0'),
    textColumn('Access Modes', ({ spec }) => formatAccessModes(spec?.accessModes)),
    textColumn('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    textColumn('Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))),
    textColumn('Claim', ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '')),
    textColumn('StorageClass', storageClassOf),
    textColumn('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    textColumn('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn,
    wideColumn('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
  prepareForCreate(volume, { nowMs }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) };
  },
  prepareForUpdate(volume, old, { subresource, nowMs }) {
    if (subresource !== 'status' || !volume.status || volume.status.phase === old.status?.phase) return;
    const { lastPhaseTransitionTime } = volume.status;
    if (lastPhaseTransitionTime === undefined || lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime)
      volume.status.lastPhaseTransitionTime = formatTime(nowMs);
  },
  warnings: persistentVolumeWarnings,
  validate: ({ metadata, spec = {} }, path) => validateSpec(spec, metadata.name ?? '', path.child('spec')),
  validateUpdate(volume, old, path) {
    const [spec, before] = [sourceOf(volume.spec), sourceOf(old.spec)];
    const errors: FieldError[] = [];
    if (!isSemanticallyEqual(spec, before)) {
      const message = `spec.persistentvolumesource is immutable after creation\n${diffJSON(before, spec)}`;
      errors.push(forbidden(path.child('spec', 'persistentvolumesource'), message));
    }
    errors.push(...validateImmutable(path.child('volumeMode'), volume.spec?.volumeMode, old.spec?.volumeMode));
    const affinity = volume.spec?.nodeAffinity;
    if (old.spec?.nodeAffinity !== undefined && !isSemanticallyEqual(affinity, old.spec.nodeAffinity)) {
      errors.push(invalid(path.child('nodeAffinity'), affinity, 'field is immutable, except for updating from beta label to GA'));
    }
    return errors;
  },
});

type Spec = DeepReadonly<PersistentVolumeSpec>;

function sourceOf(spec: Spec | undefined): object {
  return Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => (sourceFields as readonly string[]).includes(field)));
}

function validateSpec(spec: Spec, name: string, path: FieldPath): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes, path.child('accessModes'), '', 'may not use ReadWriteOncePod with other access modes'),
    ...validateCapacity(spec, path.child('capacity')),
  ];
  if (spec.persistentVolumeReclaimPolicy) {
    errors.push(
      ...validateChoice(path.child('persistentVolumeReclaimPolicy'), spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain']),
    );
  }
  if (spec.nodeAffinity !== undefined) {
    const at = path.child('nodeAffinity', 'required');
    errors.push(
      ...(spec.nodeAffinity.required
        ? validateNodeSelector(spec.nodeAffinity.required, at, true)
        : [required(at, 'must specify required node constraints')]),
    );
  }
  errors.push(...validateVolumeSource(spec, name, path));
  if (spec.hostPath && spec.hostPath.path?.replace(/\/+$/, '') === '' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    errors.push(forbidden(path.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'"));
  }
  errors.push(...validateClassName(spec.storageClassName, path.child('storageClassName')));
  if (spec.volumeMode !== undefined)
    errors.push(...validateChoice(path.child('volumeMode'), spec.volumeMode, ['Block', 'Filesystem'], 'unsupported'));
  if (spec.volumeAttributesClassName === undefined) return errors;
  const at = path.child('volumeAttributesClassName');
  errors.push(
    ...(spec.volumeAttributesClassName === ''
      ? [required(at, 'an empty string is disallowed')]
      : validateClassName(spec.volumeAttributesClassName, at)),
  );
  if (spec.csi === undefined) errors.push(required(path.child('csi'), 'has to be specified when using volumeAttributesClassName'));
  return errors;
}

function validateCapacity({ capacity = {} }: Spec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const entries = Object.entries(capacity);
  if (entries.length === 0) errors.push(required(path));
  if (capacity.storage === undefined || entries.length > 1) errors.push(notSupported(path, capacity, ['storage']));
  for (const [name, text] of entries) {
    const value = quantityValue(text);
    if (value < 0) errors.push(invalid(path.key(name), value, 'must be a valid resource quantity'));
    if (value <= 0) errors.push(invalid(path.key(name), text, 'must be greater than zero'));
  }
  return errors;
}
