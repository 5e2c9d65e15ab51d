import { repeatedIndexes } from '../../../base/repeats.ts';
import { ageColumn, integerColumn, nameColumn } from '../../../resource/columns.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateEach, validateRequired } from '../../../resource/field-rules.ts';
import type { CSINode } from '../../../types/storage-v1.ts';
import { duplicate, invalid, required } from '../../../validation/field-error.ts';
import { validateNonnegative } from '../../../validation/formats.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';
import { validateCSIDriverName } from '../../core/v1/pod-spec/volumes/volumes.ts';

const maxNodeIDLength = 256;

/** Storage drivers of a Node. */
export const csiNodes = defineResource<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'CSINode', plural: 'csinodes' },
  definition: 'io.k8s.api.storage.v1.CSINode',
  storagePrefix: 'csinodes',
  allowUnconditionalUpdate: false,
  printerColumns: [nameColumn, integerColumn('Drivers', ({ spec }) => spec?.drivers?.length ?? 0), ageColumn],
  validate({ spec }, path) {
    const names = new Set<string>();
    return validateEach(spec?.drivers, path.child('spec', 'drivers'), ({ name, nodeID, topologyKeys, allocatable }, at) => {
      const errors = validateCSIDriverName(name, at.child('name'));
      errors.push(...validateRequired(at.child('nodeID'), nodeID));
      if (nodeID && nodeID.length > maxNodeIDLength)
        errors.push(invalid(at.child('nodeID'), nodeID, `must be ${maxNodeIDLength} characters or less`));
      if (allocatable?.count !== undefined) errors.push(...validateNonnegative(at.child('allocatable', 'count'), allocatable.count));
      if (names.has(name)) errors.push(duplicate(at.child('name'), name));
      names.add(name);
      const repeated = repeatedIndexes(topologyKeys ?? []);
      // Keys are named by the path of their driver.
      return [
        ...errors,
        ...validateEach(topologyKeys, at, (key, _, index) => [
          ...(key === '' ? [required(at)] : []),
          ...(repeated.has(index) ? [duplicate(at, key)] : []),
          ...invalidFor(at, key, qualifiedNameProblems(key)),
        ]),
      ];
    });
  },
  validateUpdate({ spec }, old, path) {
    const drivers = new Map((spec?.drivers ?? []).toReversed().map((driver) => [driver.name, driver]));
    return validateEach(old.spec?.drivers, path.child('spec', 'drivers'), (before, at) => {
      const now = drivers.get(before.name);
      return now === undefined || isSemanticallyEqual({ ...now, allocatable: null }, { ...before, allocatable: null })
        ? []
        : [invalid(at, now, 'field is immutable')];
    });
  },
});
