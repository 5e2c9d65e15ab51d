import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { VolumeAttributesClass } from '../../../types/storage-v1.ts';
import { forbidden } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateParameters, validateProvisioner } from './storage-class.ts';

/** Properties that volumes can be given while they are in use. */
export const volumeAttributesClasses = defineResource<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'VolumeAttributesClass', plural: 'volumeattributesclasses', shortNames: ['vac'] },
  definition: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  storagePrefix: 'volumeattributesclasses',
  formerVersions: ['v1beta1'],
  printerColumns: [nameColumn, textColumn('DriverName', ({ driverName }) => driverName), ageColumn],
  validate: ({ driverName = '', parameters }, path) => [
    ...validateProvisioner(driverName, path.child('driverName')),
    ...validateParameters(parameters ?? {}, path.child('parameters'), 1),
  ],
  validateUpdate: (attributesClass, old, path) => [
    ...(isSemanticallyEqual(attributesClass.parameters, old.parameters)
      ? []
      : [forbidden(path.child('parameters'), 'updates to parameters are forbidden.')]),
    ...validateImmutable(path.child('driverName'), attributesClass.driverName, old.driverName),
  ],
});
