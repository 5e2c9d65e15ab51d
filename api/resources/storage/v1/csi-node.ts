import type { CSINode } from '../../../types/storage-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const csiNodes = defineResource<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'CSINode', plural: 'csinodes' },
  definition: 'io.k8s.api.storage.v1.CSINode',
  storagePrefix: 'csinodes',
});
