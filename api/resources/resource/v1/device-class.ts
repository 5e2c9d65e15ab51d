import type { DeviceClass } from '../../../types/resource-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const deviceClasses = defineResource<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'DeviceClass', plural: 'deviceclasses' },
  definition: 'io.k8s.api.resource.v1.DeviceClass',
  storagePrefix: 'deviceclasses',
  hasGeneration: true,
});
