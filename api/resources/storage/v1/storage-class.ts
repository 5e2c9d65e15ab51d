import type { StorageClass } from '../../../types/storage-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const storageClasses = defineResource<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'StorageClass', plural: 'storageclasses', shortNames: ['sc'] },
  definition: 'io.k8s.api.storage.v1.StorageClass',
  storagePrefix: 'storageclasses',
});
