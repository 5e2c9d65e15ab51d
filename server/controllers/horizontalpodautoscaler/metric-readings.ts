import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { parseDurationMs } from '../../../api/meta/duration.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { quantityMilliValue } from '../../../api/base/quantity/arithmetic.ts';
import { podMetrics } from '../../../api/resources/metrics/v1beta1/metrics.ts';
import { formatLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { CrossVersionObjectReference, MetricIdentifier } from '../../../api/types/autoscaling-v2.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { readJSON } from '../runtime/read-json.ts';
import type { Reading, Readings } from './replica-calculation.ts';
import { findResource } from '../runtime/find-resource.ts';

/** Reads metrics from whatever serves them. Every failure is in upstream's words. */
export interface MetricReader {
  /** The values of cpu, memory and the like, of one container or of the whole Pod. */
  resource(name: string, selector: string, container?: string): Promise<Readings>;
  pods(metric: DeepReadonly<MetricIdentifier>, selector: string): Promise<Readings>;
  /** Thousandths. */
  object(metric: DeepReadonly<MetricIdentifier>, object: DeepReadonly<CrossVersionObjectReference>): Promise<number>;
  /** Thousandths, of all series together. */
  external(metric: DeepReadonly<MetricIdentifier>): Promise<number>;
}

interface MetricValueList {
  readonly items: readonly {
    readonly describedObject?: { readonly name?: string };
    readonly timestamp?: string;
    readonly windowSeconds?: number | null;
    readonly value: string;
  }[];
}

export function createMetricReader(client: Client, namespace: string, signal: AbortSignal): MetricReader {
  return {
    async resource(name, selector, container) {
      const { items } = await client(podMetrics)
        .list({ namespace, labelSelector: selector, signal })
        .catch((error: unknown) => {
          throw new Error(`unable to fetch metrics from resource metrics API: ${messageOf(error)}`);
        });
      if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
      const readings = new Map<string, Reading>();
      for (const { metadata, containers, timestamp, window } of items) {
        const chosen = container === undefined ? containers : containers.filter((one) => one.name === container);
        if (chosen.length === 0) {
          const pod = `${metadata.namespace}/${metadata.name}`;
          throw new Error(`failed to get container metrics: container ${container} not present in metrics for pod ${pod}`);
        }
        const values = chosen.map(({ usage }) => usage[name]);
        if (values.includes(undefined)) continue; // half of a Pod is not known: the Pod is not
        const value = values.reduce((sum, quantity = '0') => sum + quantityMilliValue(quantity), 0);
        readings.set(metadata.name ?? '', { value, timeMs: parseTime(timestamp), windowMs: parseDurationMs(window) });
      }
      return readings;
    },
    async pods(metric, selector) {
      const query = customQuery(metric);
      query.set('labelSelector', selector);
      const { items } = await readCustom(client, `namespaces/${namespace}/pods/*/${metric.name}`, query, signal);
      if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
      return new Map(
        items.map(({ describedObject, timestamp, windowSeconds, value }) => [
          describedObject?.name ?? '',
          {
            value: quantityMilliValue(value),
            timeMs: timestamp === undefined ? 0 : parseTime(timestamp),
            windowMs: (windowSeconds ?? 60) * 1000,
          },
        ]),
      );
    },
    async object(metric, object) {
      const { items } = await readCustom(
        client,
        await objectPath(client, namespace, object, metric.name, signal),
        customQuery(metric),
        signal,
      );
      const [first] = items;
      if (!first) throw new Error('unable to fetch metrics from custom metrics API: the server could not find the metric');
      return quantityMilliValue(first.value);
    },
    async external(metric) {
      const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${encodeURIComponent(metric.name)}`;
      const query = new URLSearchParams();
      if (metric.selector) query.set('labelSelector', formatLabelSelector(metric.selector));
      const { items } = await readJSON<MetricValueList>(client, path, query, signal).catch((error: unknown) => {
        throw new Error(`unable to fetch metrics from external metrics API: ${messageOf(error)}`);
      });
      if (items.length === 0) throw new Error('no metrics returned from external metrics API');
      return items.reduce((sum, { value }) => sum + quantityMilliValue(value), 0);
    },
  };
}

function customQuery({ selector }: DeepReadonly<MetricIdentifier>): URLSearchParams {
  const query = new URLSearchParams();
  if (selector) query.set('metricLabelSelector', formatLabelSelector(selector));
  return query;
}

/** Namespaces have their metrics among those of their objects. */
async function objectPath(
  client: Client,
  namespace: string,
  object: DeepReadonly<CrossVersionObjectReference>,
  metric: string,
  signal: AbortSignal,
): Promise<string> {
  if (object.kind === 'Namespace' && (object.apiVersion ?? 'v1') === 'v1') return `namespaces/${object.name}/metrics/${metric}`;
  const {
    resource: { group, names, scope },
  } = await findResource(client, object, signal);
  const resource = group === '' ? names.plural : `${names.plural}.${group}`;
  return `${scope === 'Namespaced' ? `namespaces/${namespace}/` : ''}${resource}/${object.name}/${metric}`;
}

const customVersions = ['v1beta2', 'v1beta1'];

/** From the newest version that is served. */
async function readCustom(client: Client, path: string, query: URLSearchParams, signal: AbortSignal): Promise<MetricValueList> {
  const api = '/apis/custom.metrics.k8s.io';
  const failed = (problem: string) => new Error(`unable to fetch metrics from custom metrics API: ${problem}`);
  for (const version of customVersions) {
    try {
      return await readJSON<MetricValueList>(client, `${api}/${version}/${path}`, query, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw failed(messageOf(error));
      const isServed = await readJSON(client, `${api}/${version}`, new URLSearchParams(), signal).then(
        () => true,
        () => false,
      );
      if (isServed) throw failed(messageOf(error));
    }
  }
  throw failed('no custom metrics API (custom.metrics.k8s.io) registered');
}
