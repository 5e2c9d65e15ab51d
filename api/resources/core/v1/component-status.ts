import type { ComponentStatus } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const componentStatuses = defineResource<ComponentStatus>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ComponentStatus', plural: 'componentstatuses', shortNames: ['cs'] },
  definition: 'io.k8s.api.core.v1.ComponentStatus',
  verbs: ['get', 'list'],
});
