import type { CSIDriver } from '../../../types/storage-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const csiDrivers = defineResource<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'CSIDriver', plural: 'csidrivers' },
  definition: 'io.k8s.api.storage.v1.CSIDriver',
  storagePrefix: 'csidrivers',
  hasGeneration: true,
});
