import type { FlowSchema } from '../../../types/flowcontrol-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const flowSchemas = defineResource<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'FlowSchema', plural: 'flowschemas' },
  definition: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  subresources: {
    status: { kind: 'FlowSchema', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'flowschemas',
  hasGeneration: true,
});
