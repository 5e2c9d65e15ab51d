import type * as v2 from '../../../types/autoscaling-v2.ts';

/**
 * A metric of version 1. It has no fields for metrics other than cpu, so they are kept in annotations as JSON of this older shape: target
 * and current value are fields of the metric itself, and a prefix tells them apart.
 */
export type LegacyMetric = { type: string } & Record<string, Record<string, unknown> | string | undefined>;

interface Values {
  readonly value?: string | undefined;
  readonly averageValue?: string | undefined;
  readonly averageUtilization?: number | undefined;
}

function defined(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function legacyUsage(name: string, values: Values, prefix: 'target' | 'current', container?: string): Record<string, unknown> {
  return defined({
    name,
    [`${prefix}AverageUtilization`]: values.averageUtilization,
    [`${prefix}AverageValue`]: values.averageValue ?? (prefix === 'current' ? '0' : undefined),
    container,
  });
}

interface MetricLike {
  readonly type: string;
  readonly object?: { readonly describedObject: v2.CrossVersionObjectReference; readonly metric: v2.MetricIdentifier };
  readonly pods?: { readonly metric: v2.MetricIdentifier };
  readonly resource?: { readonly name: string };
  readonly containerResource?: { readonly name: string; readonly container: string };
  readonly external?: { readonly metric: v2.MetricIdentifier };
}

/** A metric, or its last value, in the older shape. */
export function toLegacyMetric(metric: v2.MetricSpec | v2.MetricStatus, prefix: 'target' | 'current'): LegacyMetric {
  const valuesOf = (source: object | undefined): Values =>
    source === undefined ? {} : ((Reflect.get(source, prefix) as Values | undefined) ?? {});
  const { type, object, pods, resource, containerResource, external }: MetricLike = metric;
  const legacy: LegacyMetric = { type };
  if (object) {
    const values = valuesOf(object);
    legacy.object = defined({
      target: object.describedObject,
      metricName: object.metric.name,
      [`${prefix}Value`]: values.value ?? '0',
      selector: object.metric.selector,
      averageValue: values.averageValue,
    });
  }
  if (pods) {
    legacy.pods = defined({
      metricName: pods.metric.name,
      [`${prefix}AverageValue`]: valuesOf(pods).averageValue,
      selector: pods.metric.selector,
    });
  }
  if (resource) legacy.resource = legacyUsage(resource.name, valuesOf(resource), prefix);
  if (containerResource)
    legacy.containerResource = legacyUsage(containerResource.name, valuesOf(containerResource), prefix, containerResource.container);
  if (external) {
    const values = valuesOf(external);
    legacy.external = defined({
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      [`${prefix}Value`]: values.value ?? (prefix === 'current' ? '0' : undefined),
      [`${prefix}AverageValue`]: values.averageValue,
    });
  }
  return legacy;
}

/** Inverse of toLegacyMetric. */
export function fromLegacyMetric(legacy: LegacyMetric, prefix: 'target' | 'current'): Record<string, unknown> {
  const metric: Record<string, unknown> = { type: legacy.type };
  for (const [field, source] of Object.entries(legacy)) {
    if (typeof source !== 'object') continue;
    const read = (name: string) => source[`${prefix}${name}`];
    const identifier = defined({ name: source.metricName, selector: source.selector ?? source.metricSelector });
    const zeroAsUnset = (value: unknown) => (value === '0' && prefix === 'target' ? undefined : value);
    const values =
      field === 'object'
        ? { value: zeroAsUnset(read('Value')), averageValue: source.averageValue }
        : { value: read('Value'), averageValue: read('AverageValue'), averageUtilization: read('AverageUtilization') };
    const found = defined(values);
    const kind = found.averageUtilization !== undefined ? 'Utilization' : found.averageValue !== undefined ? 'AverageValue' : 'Value';
    metric[field] = {
      ...(field === 'resource' || field === 'containerResource'
        ? defined({ name: source.name, container: source.container })
        : { metric: identifier }),
      ...(field === 'object' ? { describedObject: source.target } : {}),
      [prefix]: prefix === 'target' ? { type: kind, ...found } : found,
    };
  }
  return metric;
}
