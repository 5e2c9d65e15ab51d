import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { parseQuantity } from '../../../base/quantity/quantity.ts';
import { invalidFor, validateChoice, validateEach, validatePositive, validateRequired } from '../../../resource/field-rules.ts';
import type {
  CrossVersionObjectReference,
  HPAScalingRules,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../../types/autoscaling-v2.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123LabelProblems, pathSegmentNameProblems } from '../../../validation/names.ts';
import { validateContainerResourceName } from '../../core/v1/pod-spec/container-resources.ts';

const maxPeriodSeconds = 1800;
const maxStabilizationSeconds = 3600;
const sources = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

/** Validates an autoscaler's spec; `old` is the spec before an update. */
export function validateAutoscalerSpec(
  spec: DeepReadonly<HorizontalPodAutoscalerSpec>,
  old: DeepReadonly<HorizontalPodAutoscaler> | undefined,
  path: FieldPath,
): FieldError[] {
  const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1)
    errors.push(invalid(path.child('minReplicas'), minReplicas, 'must be greater than or equal to 1'));
  if (maxReplicas < 1) errors.push(invalid(path.child('maxReplicas'), maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid(path.child('maxReplicas'), maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  const before = old?.spec.scaleTargetRef;
  const isKnown = before !== undefined && before.kind === scaleTargetRef.kind && before.apiVersion === scaleTargetRef.apiVersion;
  const needsGroup = scaleTargetRef?.kind !== 'ReplicationController';
  return [
    ...errors,
    ...validateReference(scaleTargetRef, path.child('scaleTargetRef'), isKnown ? 'any' : needsGroup ? 'grouped' : 'valid'),
    ...validateEach(spec.metrics, path.child('metrics'), validateMetric),
    ...validateScaleToZero(spec, path.child('metrics')),
    ...validateScalingRules(spec.behavior?.scaleUp, path.child('behavior', 'scaleUp')),
    ...validateScalingRules(spec.behavior?.scaleDown, path.child('behavior', 'scaleDown')),
  ];
}

/** Validates a minimum of 0: usage of Pods cannot scale up from zero, for there are no Pods to measure. */
function validateScaleToZero({ minReplicas, metrics = [] }: DeepReadonly<HorizontalPodAutoscalerSpec>, path: FieldPath): FieldError[] {
  if (minReplicas !== 0 || metrics.some(({ type }) => type === 'Object' || type === 'External')) return [];
  return [forbidden(path, 'must specify at least one Object or External metric to support scaling to zero replicas')];
}

function validateReference(
  reference: DeepReadonly<CrossVersionObjectReference> | undefined,
  path: FieldPath,
  apiVersionMust: 'grouped' | 'valid' | 'any',
): FieldError[] {
  const { kind, name, apiVersion = '' } = reference ?? {};
  const errors = [
    ...validateRequired(path.child('kind'), kind, pathSegmentNameProblems),
    ...validateRequired(path.child('name'), name, pathSegmentNameProblems),
  ];
  const at = path.child('apiVersion');
  if (apiVersionMust === 'any') return errors;
  if (apiVersion.split('/').length > 2) errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (apiVersionMust === 'grouped' && !apiVersion.includes('/'))
    errors.push(invalid(at, apiVersion, 'apiVersion must specify API group'));
  return errors;
}

const fieldOf: Readonly<Record<string, keyof MetricSpec>> = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
};

function validateMetric(metric: DeepReadonly<MetricSpec>, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const typePath = at.child('type');
  const { type = '' } = metric;
  if (type === '') errors.push(required(typePath, 'must specify a metric source type'));
  // Upstream reports this error twice.
  if (!sources.includes(type)) errors.push(notSupported(typePath, type, sources), notSupported(typePath, type, sources));
  const present = Object.values(fieldOf).filter((field) => metric[field] !== undefined);
  const [first] = present;
  if (first !== undefined) errors.push(...validateMetricSource(metric, first, at.child(first)));
  const expected = fieldOf[type];
  if (expected !== undefined && metric[expected] === undefined) {
    errors.push(required(at.child(expected), 'must populate information for the given metric source'));
  }
  if (present.length !== 1) {
    for (const field of present)
      if (field !== expected) errors.push(forbidden(at.child(field), 'must populate the given metric source only'));
  }
  return errors;
}

function validateMetricSource(metric: DeepReadonly<MetricSpec>, field: keyof MetricSpec, at: FieldPath): FieldError[] {
  const { object, external, pods, resource, containerResource } = metric;
  const target = at.child('target');
  if (field === 'object' && object) {
    const errors = [
      ...validateReference(object.describedObject, at.child('describedObject'), 'valid'),
      ...validateIdentifier(object.metric, at.child('metric')),
    ];
    errors.push(...validateTarget(object.target, target));
    if (!object.target?.value && !object.target?.averageValue) {
      errors.push(required(target.child('averageValue'), 'must set either a target value or averageValue'));
    }
    return errors;
  }
  if (field === 'external' && external) {
    const errors = [...validateIdentifier(external.metric, at.child('metric')), ...validateTarget(external.target, target)];
    const { value, averageValue } = external.target ?? {};
    if (!value && !averageValue)
      errors.push(required(target.child('averageValue'), 'must set either a target value for metric or a per-pod target'));
    if (value && averageValue)
      errors.push(forbidden(target.child('value'), 'may not set both a target value for metric and a per-pod target'));
    return errors;
  }
  if (field === 'pods' && pods) {
    const errors = [...validateIdentifier(pods.metric, at.child('metric')), ...validateTarget(pods.target, target)];
    if (!pods.target?.averageValue) errors.push(required(target.child('averageValue'), 'must specify a positive target averageValue'));
    return errors;
  }
  const usage = field === 'resource' ? resource : containerResource;
  if (usage === undefined) return [];
  const namePath = at.child('name');
  const errors = usage.name ? [] : [required(namePath, 'must specify a resource name')];
  if (field === 'containerResource' && usage.name) errors.push(...validateContainerResourceName(usage.name, namePath));
  if (field === 'containerResource') {
    const name = containerResource?.container ?? '';
    const container = at.child('container');
    errors.push(
      ...(name === '' ? [required(container, 'must specify a container')] : invalidFor(container, name, dns1123LabelProblems(name))),
    );
  }
  return [...errors, ...validateTarget(usage.target, target), ...validateUsage(usage.target ?? {}, target)];
}

function validateUsage({ averageUtilization, averageValue }: Partial<DeepReadonly<MetricTarget>>, path: FieldPath): FieldError[] {
  if (averageUtilization === undefined && averageValue === undefined) {
    return [required(path.child('averageUtilization'), 'must set either a target raw value or a target utilization')];
  }
  if (averageUtilization === undefined || averageValue === undefined) return [];
  return [forbidden(path.child('averageValue'), 'may not set both a target raw value and a target utilization')];
}

function validateIdentifier(metric: DeepReadonly<MetricIdentifier> | undefined, path: FieldPath): FieldError[] {
  if (!metric?.name) return [required(path.child('name'), 'must specify a metric name')];
  return invalidFor(path.child('name'), metric.name, pathSegmentNameProblems(metric.name));
}

function validateTarget(target: DeepReadonly<MetricTarget> | undefined, path: FieldPath): FieldError[] {
  const { type = '', value, averageValue, averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (type === '') errors.push(required(path.child('type'), 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    errors.push(invalid(path.child('type'), type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const [field, text] of Object.entries({ value, averageValue })) {
    if (text !== undefined && parseQuantity(text).unscaled <= 0n) errors.push(invalid(path.child(field), text, 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(path.child('averageUtilization'), averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function validateScalingRules(rules: DeepReadonly<HPAScalingRules> | undefined, path: FieldPath): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const errors: FieldError[] = [];
  const at = path.child('stabilizationWindowSeconds');
  if (seconds !== undefined && seconds < 0) errors.push(invalid(at, seconds, 'must be greater than or equal to zero'));
  if (seconds !== undefined && seconds > maxStabilizationSeconds) {
    errors.push(invalid(at, seconds, `must be less than or equal to ${maxStabilizationSeconds}`));
  }
  if (selectPolicy !== undefined)
    errors.push(...validateChoice(path.child('selectPolicy'), selectPolicy, ['Disabled', 'Max', 'Min'], 'unsupported'));
  if (policies.length === 0) errors.push(required(path.child('policies'), 'must specify at least one Policy'));
  errors.push(
    ...validateEach(policies, path.child('policies'), ({ type, value, periodSeconds }, policyPath) => [
      ...validateChoice(policyPath.child('type'), type, ['Percent', 'Pods'], 'unsupported'),
      ...validatePositive(policyPath.child('value'), value ?? 0),
      ...validatePositive(policyPath.child('periodSeconds'), periodSeconds ?? 0),
      ...(periodSeconds > maxPeriodSeconds
        ? [invalid(policyPath.child('periodSeconds'), periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`)]
        : []),
    ]),
  );
  if (tolerance !== undefined && parseQuantity(tolerance).unscaled < 0n) {
    errors.push(invalid(path.child('tolerance'), tolerance, 'must be greater than or equal to 0'));
  }
  return errors;
}
