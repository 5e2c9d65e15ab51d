import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { HorizontalPodAutoscaler } from '../../../types/autoscaling-v2.ts';
import { required } from '../../../validation/field-error.ts';
import { validateCounts } from '../../apps/v1/replica-status.ts';
import { validateAutoscalerSpec } from './autoscaler-spec.ts';
import { formatMetrics } from './metric-texts.ts';

/** Keeps a workload as large as its metrics ask for. */
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
  printerColumns: [
    nameColumn,
    textColumn('Reference', ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`),
    textColumn('Targets', formatMetrics),
    textColumn('MinPods', ({ spec }) => (spec?.minReplicas === undefined ? '<unset>' : String(spec.minReplicas))),
    textColumn('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
    textColumn('Replicas', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn,
  ],
  validate: ({ spec }, path, { operation }) => {
    if (spec === undefined) return [required(path.child('spec'))];
    return operation === 'create' ? validateAutoscalerSpec(spec, undefined, path.child('spec')) : [];
  },
  validateUpdate: ({ spec }, old, path) => validateAutoscalerSpec(spec, old, path.child('spec')),
  validateStatusUpdate: ({ status }, _old, path) => validateCounts(status, ['currentReplicas', 'desiredReplicas'], path.child('status')),
});
