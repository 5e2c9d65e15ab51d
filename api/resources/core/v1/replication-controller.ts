import type { ReplicationController } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const replicationControllers = defineResource<ReplicationController>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ReplicationController', plural: 'replicationcontrollers', shortNames: ['rc'], categories: ['all'] },
  definition: 'io.k8s.api.core.v1.ReplicationController',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'ReplicationController', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'controllers',
  hasGeneration: true,
});
