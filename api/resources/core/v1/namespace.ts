import type { Namespace } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const namespaces = defineResource<Namespace>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'Namespace', plural: 'namespaces', shortNames: ['ns'] },
  definition: 'io.k8s.api.core.v1.Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: {
    finalize: { kind: 'Namespace', verbs: ['update'] },
    status: { kind: 'Namespace', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'namespaces',
});
