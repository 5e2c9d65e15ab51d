import { ageColumn, nameColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { isExtendedResource } from '../../../semantics/pods/resource-list.ts';
import type { DeviceClass } from '../../../types/resource-v1.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { maxConfigs, validateOpaque, validateSelectors, validateSet } from './device-rules.ts';

/** A class of devices with equal properties. */
export const deviceClasses = defineResource<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'DeviceClass', plural: 'deviceclasses' },
  definition: 'io.k8s.api.resource.v1.DeviceClass',
  storagePrefix: 'deviceclasses',
  formerVersions: ['v1beta2'],
  hasGeneration: true,
  printerColumns: [nameColumn, ageColumn],
  validate: ({ spec }, path) => [
    ...validateSelectors(spec?.selectors, path.child('spec', 'selectors')),
    ...validateSet(spec?.config, path.child('spec', 'config'), {
      max: maxConfigs,
      validate: ({ opaque }, at) => validateOpaque(opaque, at.child('opaque')),
    }),
    ...validateExtendedResourceName(spec?.extendedResourceName, path.child('spec', 'extendedResourceName')),
  ],
});

function validateExtendedResourceName(name: string | undefined, path: FieldPath): FieldError[] {
  return name === undefined || isExtendedResource(name) ? [] : [invalid(path, name, 'must be a valid extended resource name')];
}
