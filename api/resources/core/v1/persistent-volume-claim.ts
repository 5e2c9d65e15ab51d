import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { compareQuantities, quantityValue } from '../../../base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../base/quantity/quantity.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { diffJSON } from '../../../resource/json-diff.ts';
import { formatAccessModes, storageClassOf } from '../../../semantics/storage/persistent-volumes.ts';
import type { PersistentVolumeClaim } from '../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { persistentVolumeClaimWarnings } from './volumes/volume-warnings.ts';
import { prepareDataSources } from './volumes/claim-data-sources.ts';
import { validatePersistentVolumeClaimSpec } from './volumes/persistent-volume-claim-spec.ts';

/** A wish for storage. */
export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', shortNames: ['pvc'] },
  definition: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  subresources: {
    status: { kind: 'PersistentVolumeClaim', verbs: ['get', 'patch', 'update'] },
  },
  tellsTwice: true,
  storagePrefix: 'persistentvolumeclaims',
  printerColumns: [
    nameColumn,
    textColumn('Status', ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''))),
    textColumn('Volume', ({ spec }) => spec?.volumeName ?? ''),
    textColumn('Capacity', ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.storage ?? '0') : '')),
    textColumn('Access Modes', ({ spec, status }) => (spec?.volumeName ? formatAccessModes(status?.accessModes) : '')),
    textColumn('StorageClass', storageClassOf),
    textColumn('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wideColumn('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    if (claim.spec) prepareDataSources(claim.spec, undefined);
  },
  prepareForUpdate({ spec }, old, { subresource }) {
    if (spec && subresource === '') prepareDataSources(spec, old.spec);
  },
  warnings: persistentVolumeClaimWarnings,
  validate: ({ spec = {} }, path) => validatePersistentVolumeClaimSpec(spec, path.child('spec')),
  validateUpdate(claim, old, path) {
    const errors: FieldError[] = [];
    const at = path.child('spec');
    const [after, before] = [comparable(claim, claim, old), comparable(old, claim, old)];
    if (!isSemanticallyEqual(after, before)) {
      const message = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
      errors.push(forbidden(at, `${message}\n${diffJSON(before, after)}`));
    }
    const [size, oldSize] = [sizeOf(claim), sizeOf(old)];
    const capacity = parseQuantity(old.status?.capacity?.storage ?? '0');
    if (compareQuantities(size, oldSize) < 0 && compareQuantities(size, capacity) <= 0) {
      errors.push(forbidden(at.child('resources', 'requests', 'storage'), 'field can not be less than status.capacity'));
    }
    errors.push(...validateImmutable(path.child('volumeMode'), claim.spec?.volumeMode, old.spec?.volumeMode));
    if (old.status?.currentVolumeAttributesClassName !== undefined && !claim.spec?.volumeAttributesClassName) {
      const to = claim.spec?.volumeAttributesClassName === '' ? 'empty string' : 'nil';
      if (old.spec?.volumeAttributesClassName !== claim.spec?.volumeAttributesClassName) {
        const message = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
        errors.push(forbidden(at.child('volumeAttributesClassName'), message));
      }
    }
    return errors;
  },
  validateStatusUpdate: ({ status }, _old, path) =>
    Object.entries(status?.capacity ?? {}).flatMap(([name, text]) => {
      const value = quantityValue(text);
      return value < 0 ? [invalid(path.child('status', 'capacity').key(name), value, 'must be a valid resource quantity')] : [];
    }),
});

type Claim = DeepReadonly<PersistentVolumeClaim>;

function sizeOf({ spec }: Claim) {
  return parseQuantity(spec?.resources?.requests?.storage ?? '0');
}

/**
 * The part of a spec that must not change: without the fields that may be set once and were unset, and without those that may change on
 * bound claims.
 */
function comparable({ spec }: Claim, claim: Claim, old: Claim): object {
  const rest: Record<string, unknown> = { ...spec };
  if (!old.spec?.volumeName) delete rest.volumeName;
  // A default class may come later to claims that have none.
  if (old.spec?.storageClassName === undefined) delete rest.storageClassName;
  if (claim.status?.phase === 'Bound') {
    const { storage: _storage, ...requests } = spec?.resources?.requests ?? {};
    rest.resources = { ...spec?.resources, requests };
    delete rest.volumeAttributesClassName;
  }
  return rest;
}
