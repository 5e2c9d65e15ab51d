import type { CSIStorageCapacity } from '../../../types/storage-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const csiStorageCapacities = defineResource<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'CSIStorageCapacity', plural: 'csistoragecapacities' },
  definition: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  storagePrefix: 'csistoragecapacities',
});
