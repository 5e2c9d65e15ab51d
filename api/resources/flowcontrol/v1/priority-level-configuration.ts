import type { PriorityLevelConfiguration } from '../../../types/flowcontrol-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const priorityLevelConfigurations = defineResource<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'PriorityLevelConfiguration', plural: 'prioritylevelconfigurations' },
  definition: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  subresources: {
    status: { kind: 'PriorityLevelConfiguration', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'prioritylevelconfigurations',
  hasGeneration: true,
});
