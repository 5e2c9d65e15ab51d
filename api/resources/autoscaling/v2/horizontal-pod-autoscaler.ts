import type { HorizontalPodAutoscaler } from '../../../types/autoscaling-v2.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  scope: 'Namespaced',
  names: { kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', shortNames: ['hpa'], categories: ['all'] },
  definition: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  subresources: {
    status: { kind: 'HorizontalPodAutoscaler', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'horizontalpodautoscalers',
  hasGeneration: true,
});
