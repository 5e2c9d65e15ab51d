import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import type { KubeObject } from '../../../meta/object.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { PrinterColumn } from '../../../resource/resource-definition.ts';
import type { HorizontalPodAutoscaler } from '../../../types/autoscaling-v1.ts';
import type * as v2 from '../../../types/autoscaling-v2.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { horizontalPodAutoscalers as stored } from '../v2/horizontal-pod-autoscaler.ts';
import { fromLegacyBehavior, toLegacyBehavior } from './behavior-conversion.ts';
import { fromLegacyMetric, type LegacyMetric, toLegacyMetric } from './metric-conversion.ts';

const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics';
const currentMetricsAnnotation = 'autoscaling.alpha.kubernetes.io/current-metrics';
const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions';
const behaviorAnnotation = 'autoscaling.alpha.kubernetes.io/behavior';
const ownAnnotations: ReadonlySet<string> = new Set([
  metricsAnnotation,
  currentMetricsAnnotation,
  conditionsAnnotation,
  behaviorAnnotation,
]);

const columns: readonly PrinterColumn<HorizontalPodAutoscaler>[] = stored.printerColumns.map((column) => ({
  ...column,
  value: (autoscaler, context) => column.value(fromVersion1(autoscaler), context),
}));

/** Keeps a workload as large as its processor use asks for: the older form, which knows only cpu and writes the rest into annotations. */
export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', shortNames: ['hpa'], categories: ['all'] },
  definition: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  subresources: {
    status: { kind: 'HorizontalPodAutoscaler', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'horizontalpodautoscalers',
  storageVersion: { group: 'autoscaling', version: 'v2' },
  convert: { fromStorage: (object: KubeObject) => toVersion1(object as v2.HorizontalPodAutoscaler), toStorage: fromVersion1 },
  hasGeneration: true,
  printerColumns: columns,
  validate: (autoscaler, _path, context) => stored.validate?.(fromVersion1(autoscaler), FieldPath.root, context) ?? [],
  validateUpdate: (autoscaler, old, path, context) =>
    stored.validateUpdate?.(fromVersion1(autoscaler), fromVersion1(old), path, context) ?? [],
  validateStatusUpdate: (autoscaler, old, path, context) =>
    stored.validateStatusUpdate?.(fromVersion1(autoscaler), fromVersion1(old), path, context) ?? [],
});

function isCPU(metric: v2.MetricSpec): boolean {
  return metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined;
}

function toVersion1(autoscaler: v2.HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { metrics = [], behavior, ...spec } = autoscaler.spec;
  const { currentMetrics, conditions, ...status } = autoscaler.status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const cpu = metrics.find(isCPU)?.resource?.target.averageUtilization;
  const currentCPU = (currentMetrics ?? []).find(({ resource }) => resource?.name === 'cpu')?.resource?.current.averageUtilization;
  const others = metrics.filter((metric) => !isCPU(metric)).map((metric) => toLegacyMetric(metric, 'target'));
  const written: Record<string, unknown> = {};
  if (others.length > 0) written[metricsAnnotation] = others;
  if (currentMetrics && currentMetrics.length > 0)
    written[currentMetricsAnnotation] = currentMetrics.map((metric) => toLegacyMetric(metric, 'current'));
  if (conditions && conditions.length > 0) written[conditionsAnnotation] = conditions;
  if (behavior) written[behaviorAnnotation] = toLegacyBehavior(behavior);
  const texts = Object.fromEntries(Object.entries(written).map(([name, value]) => [name, JSON.stringify(value)]));
  const annotations = { ...autoscaler.metadata.annotations, ...texts };
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...autoscaler.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { ...spec, ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu }) },
    status: {
      ...status,
      currentReplicas: status.currentReplicas ?? 0,
      ...(currentCPU === undefined ? {} : { currentCPUUtilizationPercentage: currentCPU }),
    },
  };
}

/** Parses the JSON of an annotation that the server wrote; text of another form counts as absent. */
function readAnnotation<T>(annotations: Readonly<Record<string, string>> | undefined, name: string): T | undefined {
  const text = annotations?.[name];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function fromVersion1(autoscaler: DeepReadonly<HorizontalPodAutoscaler>): v2.HorizontalPodAutoscaler {
  const { metadata, spec, status } = structuredClone(autoscaler) as HorizontalPodAutoscaler;
  const read = <T>(name: string) => readAnnotation<T>(metadata.annotations, name);
  const { targetCPUUtilizationPercentage: cpu, ...rest } = spec ?? {};
  const others = read<LegacyMetric[]>(metricsAnnotation)?.map((metric) => fromLegacyMetric(metric, 'target')) ?? [];
  const own =
    cpu === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } }];
  const behavior = read<Record<string, unknown>>(behaviorAnnotation);
  const annotations = Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name)));
  const { annotations: _annotations, ...otherMetadata } = metadata;
  const converted: v2.HorizontalPodAutoscaler = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...otherMetadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { ...rest, metrics: [...others, ...own] as v2.MetricSpec[], ...(behavior ? { behavior: fromLegacyBehavior(behavior) } : {}) },
  };
  if (!status) return converted;
  const { currentCPUUtilizationPercentage: currentCPU, ...counts } = status;
  const currents = read<LegacyMetric[]>(currentMetricsAnnotation)?.map((metric) => fromLegacyMetric(metric, 'current'));
  const ownCurrent =
    currentCPU === undefined ? undefined : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCPU } } }];
  const conditions = read<v2.HorizontalPodAutoscalerCondition[]>(conditionsAnnotation);
  const currentMetrics = (currents ?? ownCurrent) as v2.MetricStatus[] | undefined;
  converted.status = { ...counts, ...(currentMetrics ? { currentMetrics } : {}), ...(conditions ? { conditions } : {}) };
  return converted;
}
