import type { ResourceClaimTemplate } from '../../../types/resource-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const resourceClaimTemplates = defineResource<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ResourceClaimTemplate', plural: 'resourceclaimtemplates' },
  definition: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  storagePrefix: 'resourceclaimtemplates',
  hasGeneration: true,
});
