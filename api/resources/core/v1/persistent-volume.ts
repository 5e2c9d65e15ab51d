import type { PersistentVolume } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const persistentVolumes = defineResource<PersistentVolume>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'PersistentVolume', plural: 'persistentvolumes', shortNames: ['pv'] },
  definition: 'io.k8s.api.core.v1.PersistentVolume',
  subresources: {
    status: { kind: 'PersistentVolume', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'persistentvolumes',
});
