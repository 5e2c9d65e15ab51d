import type { ObjectMeta } from '../../../types/meta-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { nameColumn } from '../../../resource/columns.ts';
import type { PrinterColumn } from '../../../resource/resource-definition.ts';
import { addQuantities } from '../../../base/quantity/arithmetic.ts';
import { formatQuantity, parseQuantity, type Quantity } from '../../../base/quantity/quantity.ts';
import { jsonMediaType, yamlMediaType } from '../../../serialization/media-types.ts';

/** By resource, as quantities: cpu in cores, averaged over the window; memory in bytes at its end. */
export type ResourceUsage = Record<string, string>;

interface Measured {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  /** End of the window. */
  readonly timestamp: string;
  /** `15.012s` */
  readonly window: string;
}

/** Usage of a node. */
export interface NodeMetrics extends Measured {
  readonly usage: ResourceUsage;
}

/** Usage of a Pod. */
export interface PodMetrics extends Measured {
  readonly containers: readonly { readonly name: string; readonly usage: ResourceUsage }[];
}

/** The common part of the resources that metrics-server serves: nothing is stored, and nothing is written in protobuf. */
const shared = { group: 'metrics.k8s.io', version: 'v1beta1', verbs: ['get', 'list'], mediaTypes: [jsonMediaType, yamlMediaType] } as const;

export const nodeMetrics = defineResource<NodeMetrics>({
  ...shared,
  scope: 'Cluster',
  names: { kind: 'NodeMetrics', plural: 'nodes', singular: '' },
  definition: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics',
  printerColumns: [nameColumn, ...usageColumns<NodeMetrics>(({ usage }) => usage)],
});

export const podMetrics = defineResource<PodMetrics>({
  ...shared,
  scope: 'Namespaced',
  names: { kind: 'PodMetrics', plural: 'pods', singular: '' },
  definition: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics',
  printerColumns: [nameColumn, ...usageColumns<PodMetrics>(({ containers }) => sumUsage(containers.map(({ usage }) => usage)))],
});

function usageColumns<T extends NodeMetrics | PodMetrics>(usageOf: (object: T) => Readonly<Record<string, string>>): PrinterColumn<T>[] {
  const column = (name: string): PrinterColumn<T> => ({
    name,
    type: 'string',
    format: 'quantity',
    value: (object) => usageOf(object as T)[name] ?? '',
  });
  return [column('cpu'), column('memory'), { name: 'Window', type: 'string', format: 'duration', value: ({ window }) => window }];
}

function sumUsage(usages: readonly Readonly<Record<string, string>>[]): ResourceUsage {
  const sums = new Map<string, Quantity>();
  for (const usage of usages) {
    for (const [name, text] of Object.entries(usage)) {
      const before = sums.get(name);
      sums.set(name, before ? addQuantities(before, parseQuantity(text)) : parseQuantity(text));
    }
  }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, formatQuantity(sum)]));
}
