import type { VolumeAttributesClass } from '../../../types/storage-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const volumeAttributesClasses = defineResource<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'VolumeAttributesClass', plural: 'volumeattributesclasses', shortNames: ['vac'] },
  definition: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  storagePrefix: 'volumeattributesclasses',
});
