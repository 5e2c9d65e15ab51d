import type { ServiceCIDR } from '../../../types/networking-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const serviceCIDRs = defineResource<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ServiceCIDR', plural: 'servicecidrs' },
  definition: 'io.k8s.api.networking.v1.ServiceCIDR',
  subresources: {
    status: { kind: 'ServiceCIDR', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'servicecidrs',
  hasGeneration: true,
});
