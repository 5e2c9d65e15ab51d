import type { RuntimeClass } from '../../../types/node-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const runtimeClasses = defineResource<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'RuntimeClass', plural: 'runtimeclasses' },
  definition: 'io.k8s.api.node.v1.RuntimeClass',
  storagePrefix: 'runtimeclasses',
});
