import type { StatefulSet } from '../../../types/apps-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const statefulSets = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'StatefulSet', plural: 'statefulsets', shortNames: ['sts'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.StatefulSet',
  subresources: {
    scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'StatefulSet', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'statefulsets',
  hasGeneration: true,
});
