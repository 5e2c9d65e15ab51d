import type { Ingress } from '../../../types/networking-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const ingresses = defineResource<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Ingress', plural: 'ingresses', shortNames: ['ing'] },
  definition: 'io.k8s.api.networking.v1.Ingress',
  subresources: {
    status: { kind: 'Ingress', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'ingress',
  hasGeneration: true,
});
