import type { IngressClass } from '../../../types/networking-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const ingressClasses = defineResource<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'IngressClass', plural: 'ingressclasses' },
  definition: 'io.k8s.api.networking.v1.IngressClass',
  storagePrefix: 'ingressclasses',
  hasGeneration: true,
});
