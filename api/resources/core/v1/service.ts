import type { Service } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const services = defineResource<Service>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Service', plural: 'services', shortNames: ['svc'], categories: ['all'] },
  definition: 'io.k8s.api.core.v1.Service',
  subresources: {
    proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    status: { kind: 'Service', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'services/specs',
  hasGeneration: true,
  allowCreateOnUpdate: true,
});
