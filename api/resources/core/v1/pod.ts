import type { Pod } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const pods = defineResource<Pod>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Pod', plural: 'pods', shortNames: ['po'], categories: ['all'] },
  definition: 'io.k8s.api.core.v1.Pod',
  subresources: {
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    binding: { kind: 'Binding', verbs: ['create'] },
    ephemeralcontainers: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
    log: { kind: 'Pod', verbs: ['get'] },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    proxy: { kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    resize: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'pods',
  hasGeneration: true,
});
