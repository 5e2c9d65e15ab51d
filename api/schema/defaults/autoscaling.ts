import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from '../../types/autoscaling-v1.ts';
import type { HorizontalPodAutoscaler, HPAScalingPolicy, HPAScalingRules } from '../../types/autoscaling-v2.ts';
import type { ConditionalDefaults } from './conditional-default.ts';

const doubleEvery15Seconds: readonly HPAScalingPolicy[] = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const allEvery15Seconds: readonly HPAScalingPolicy[] = [{ type: 'Percent', value: 100, periodSeconds: 15 }];

function fill(rules: HPAScalingRules, policies: readonly HPAScalingPolicy[]): HPAScalingRules {
  rules.selectPolicy ??= 'Max';
  rules.policies ??= policies.map((policy) => ({ ...policy }));
  return rules;
}

function defaultV2({ spec }: HorizontalPodAutoscaler): void {
  if (!spec) return;
  if (!spec.metrics?.length) {
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  }
  if (!spec.behavior) return;
  const scaleUp = fill((spec.behavior.scaleUp ??= {}), doubleEvery15Seconds);
  scaleUp.stabilizationWindowSeconds ??= 0;
  // Its stabilization window stays unset: the controller's own setting then applies.
  fill((spec.behavior.scaleDown ??= {}), allEvery15Seconds);
}

/** The annotation in which version 1 keeps metrics that it has no fields for. */
const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics';

function defaultV1({ metadata, spec }: HorizontalPodAutoscalerV1): void {
  if (spec && metadata.annotations?.[metricsAnnotation] === undefined) spec.targetCPUUtilizationPercentage ??= 80;
}

export const autoscalingDefaults: ConditionalDefaults = [
  ['io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler', defaultV1],
  ['io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler', defaultV2],
];
