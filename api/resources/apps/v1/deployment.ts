import type { Deployment } from '../../../types/apps-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const deployments = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Deployment', plural: 'deployments', shortNames: ['deploy'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.Deployment',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'Deployment', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'deployments',
  hasGeneration: true,
});
