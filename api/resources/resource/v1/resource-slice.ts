import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { ResourceSlice } from '../../../types/resource-v1.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateSliceSpec } from './slice-validation.ts';

/** Some of the devices that a driver offers. */
export const resourceSlices = defineResource<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ResourceSlice', plural: 'resourceslices' },
  definition: 'io.k8s.api.resource.v1.ResourceSlice',
  storagePrefix: 'resourceslices',
  formerVersions: ['v1beta2'],
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Node', ({ spec }) => spec?.nodeName ?? ''),
    textColumn('Driver', ({ spec }) => spec?.driver ?? ''),
    textColumn('Pool', ({ spec }) => spec?.pool?.name ?? ''),
    ageColumn,
  ],
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  validate: ({ spec }, path) => validateSliceSpec(spec, path.child('spec')),
  validateUpdate: ({ spec }, old, path) => [
    ...validateImmutable(path.child('spec', 'driver'), spec?.driver, old.spec?.driver),
    ...validateImmutable(path.child('spec', 'pool', 'name'), spec?.pool?.name, old.spec?.pool?.name),
    ...validateImmutable(path.child('spec', 'nodeName'), spec?.nodeName, old.spec?.nodeName),
  ],
});
