import type { PersistentVolumeClaim } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', shortNames: ['pvc'] },
  definition: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  subresources: {
    status: { kind: 'PersistentVolumeClaim', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'persistentvolumeclaims',
});
