import type { ResourceClaim } from '../../../types/resource-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const resourceClaims = defineResource<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ResourceClaim', plural: 'resourceclaims' },
  definition: 'io.k8s.api.resource.v1.ResourceClaim',
  subresources: {
    status: { kind: 'ResourceClaim', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'resourceclaims',
  hasGeneration: true,
});
