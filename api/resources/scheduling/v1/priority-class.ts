import type { PriorityClass } from '../../../types/scheduling-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const priorityClasses = defineResource<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'PriorityClass', plural: 'priorityclasses', shortNames: ['pc'] },
  definition: 'io.k8s.api.scheduling.v1.PriorityClass',
  storagePrefix: 'priorityclasses',
});
