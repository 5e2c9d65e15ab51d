import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../../types/autoscaling-v2.ts';

const maxShown = 2;
const unknown = '<unknown>';

type Target = DeepReadonly<MetricTarget>;
type Current = DeepReadonly<MetricValueStatus> | undefined;

/** `current/target` of each metric, as `kubectl get hpa` shows it. */
export function formatMetrics({ spec, status }: DeepReadonly<HorizontalPodAutoscaler>): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return '<none>';
  const shown = metrics.slice(0, maxShown).map((metric, index) => formatMetric(metric, status?.currentMetrics?.[index]));
  const rest = metrics.length - maxShown;
  return rest > 0 ? `${shown.join(', ')} + ${rest} more...` : shown.join(', ');
}

function formatMetric(metric: DeepReadonly<MetricSpec>, status: DeepReadonly<MetricStatus> | undefined): string {
  const { external, pods, object, resource, containerResource } = metric;
  if (metric.type === 'External' && external) return formatTotal(external.target, status?.external?.current);
  if (metric.type === 'Object' && object) return formatTotal(object.target, status?.object?.current);
  if (metric.type === 'Pods' && pods) return `${status?.pods?.current.averageValue ?? unknown}/${pods.target.averageValue ?? '0'}`;
  if (metric.type === 'Resource' && resource) return `${resource.name}: ${formatUsage(resource.target, status?.resource?.current)}`;
  if (metric.type === 'ContainerResource' && containerResource) {
    return `${containerResource.name}: ${formatUsage(containerResource.target, status?.containerResource?.current)}`;
  }
  return '<unknown type>';
}

function formatTotal(target: Target, current: Current): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  return `${current === undefined ? unknown : (current.value ?? '0')}/${target.value ?? '0'}`;
}

function formatUsage(target: Target, current: Current): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue}`;
  const percent = (value: number | undefined, otherwise: string) => (value === undefined ? otherwise : `${value}%`);
  return `${percent(current?.averageUtilization, unknown)}/${percent(target.averageUtilization, '<auto>')}`;
}
