import { ageColumn, nameColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import type { DeviceClass } from '../../../types/resource-v1.ts';
import { required } from '../../../validation/field-error.ts';
import { validateDriverName, validateSelectors } from './claim-validation.ts';

/** Devices that are alike in what matters. */
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
    ...validateEach(spec?.config, path.child('spec', 'config'), ({ opaque }, at) =>
      opaque === undefined
        ? [required(at, 'exactly one field is required')]
        : validateDriverName(opaque.driver, at.child('opaque', 'driver')),
    ),
  ],
});
