import type { ResourceSlice } from '../../../types/resource-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const resourceSlices = defineResource<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ResourceSlice', plural: 'resourceslices' },
  definition: 'io.k8s.api.resource.v1.ResourceSlice',
  storagePrefix: 'resourceslices',
  hasGeneration: true,
});
