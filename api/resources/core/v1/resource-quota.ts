import type { ResourceQuota } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const resourceQuotas = defineResource<ResourceQuota>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ResourceQuota', plural: 'resourcequotas', shortNames: ['quota'] },
  definition: 'io.k8s.api.core.v1.ResourceQuota',
  subresources: {
    status: { kind: 'ResourceQuota', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'resourcequotas',
});
