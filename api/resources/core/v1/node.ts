import type { Node } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const nodes = defineResource<Node>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'Node', plural: 'nodes', shortNames: ['no'] },
  definition: 'io.k8s.api.core.v1.Node',
  subresources: {
    proxy: { kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    status: { kind: 'Node', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'minions',
});
