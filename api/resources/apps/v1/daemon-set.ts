import type { DaemonSet } from '../../../types/apps-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const daemonSets = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'DaemonSet', plural: 'daemonsets', shortNames: ['ds'], categories: ['all'] },
  definition: 'io.k8s.api.apps.v1.DaemonSet',
  subresources: {
    status: { kind: 'DaemonSet', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'daemonsets',
  hasGeneration: true,
});
