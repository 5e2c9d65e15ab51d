import type { ReplicaSet } from '../../../types/apps-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const replicaSets = defineResource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ReplicaSet', plural: 'replicasets', shortNames: ['rs'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.ReplicaSet',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'ReplicaSet', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'replicasets',
  hasGeneration: true,
});
