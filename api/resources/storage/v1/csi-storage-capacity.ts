import { nameColumn, textColumn } from '../../../resource/columns.ts';
import { parseQuantity } from '../../../base/quantity/quantity.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor } from '../../../resource/field-rules.ts';
import type { CSIStorageCapacity } from '../../../types/storage-v1.ts';
import { invalid } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';
import { dns1123SubdomainProblems } from '../../../validation/names.ts';

/** How much storage of a class there is for some of the Nodes. */
export const csiStorageCapacities = defineResource<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'CSIStorageCapacity', plural: 'csistoragecapacities' },
  definition: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  storagePrefix: 'csistoragecapacities',
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('StorageClassName', ({ storageClassName }) => storageClassName),
    textColumn('Capacity', ({ capacity }) => capacity ?? '<unset>'),
  ],
  validate({ storageClassName = '', nodeTopology, capacity, maximumVolumeSize }, path) {
    const errors = invalidFor(path.child('storageClassName'), storageClassName, dns1123SubdomainProblems(storageClassName));
    errors.push(...validateLabelSelector(nodeTopology, path.child('nodeTopology')));
    for (const [field, text] of Object.entries({ capacity, maximumVolumeSize })) {
      if (text !== undefined && parseQuantity(text).unscaled < 0n)
        errors.push(invalid(path.child(field), text, 'must be greater than or equal to 0'));
    }
    return errors;
  },
  validateUpdate: (capacity, old, path) => [
    ...validateImmutable(path.child('nodeTopology'), capacity.nodeTopology, old.nodeTopology),
    ...validateImmutable(path.child('storageClassName'), capacity.storageClassName, old.storageClassName),
  ],
});
