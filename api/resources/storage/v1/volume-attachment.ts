import type { VolumeAttachment } from '../../../types/storage-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const volumeAttachments = defineResource<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'VolumeAttachment', plural: 'volumeattachments' },
  definition: 'io.k8s.api.storage.v1.VolumeAttachment',
  subresources: {
    status: { kind: 'VolumeAttachment', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'volumeattachments',
  hasGeneration: true,
});
