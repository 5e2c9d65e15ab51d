import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { milliQuantityOf, quantityOf } from '../../../api/base/quantity/arithmetic.ts';
import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import { isExtendedResource } from '../../../api/semantics/pods/resource-list.ts';
import type { NodeStatus } from '../../../api/types/core-v1.ts';
import type { MachineFacts } from '../../linux/machine/machine.ts';
import { amountOf, type EvictionSettings, type Signal } from '../eviction/thresholds.ts';
import { hugePagesResource } from '../resources/huge-pages.ts';
import { type AllocatableSettings, reservedAmount } from '../resources/node-allocatable.ts';

export interface NodeResourcesInput {
  readonly machine: MachineFacts;
  readonly maxPods: number;
  /** Devices of device plugins, by resource. */
  readonly devices: ReadonlyMap<string, { readonly total: number; readonly healthy: number }>;
  /** Bytes of the file system that holds Pods. */
  readonly storageBytes: number;
  readonly allocatable: AllocatableSettings;
  readonly eviction: EvictionSettings;
  readonly previous: DeepReadonly<NodeStatus> | undefined;
}

type NodeResources = Required<Pick<NodeStatus, 'capacity' | 'allocatable'>>;

/**
 * The node's capacity, and the part that Pods can allocate: without the reserved resources and the eviction thresholds. Extended resources
 * of the Node's capacity are allocatable as a whole.
 */
export function nodeResources(input: NodeResourcesInput): NodeResources {
  const { machine, maxPods, devices, storageBytes, allocatable: settings, eviction, previous } = input;
  const bytes = (value: number) => formatQuantity(quantityOf(value, 'BinarySI'));
  const left = (capacity: number, resource: 'cpu' | 'memory' | 'ephemeral-storage', signal?: Signal) =>
    Math.max(0, capacity - reservedAmount(settings, resource) - (signal === undefined ? 0 : hardThreshold(eviction, signal, capacity)));
  const milliCPU = machine.cpus * 1000;
  const hugeBytes = machine.hugePages.reduce((sum, { sizeBytes, count }) => sum + sizeBytes * count, 0);
  const hugePages = machine.hugePages.map(({ sizeBytes, count }) => [hugePagesResource(sizeBytes), bytes(sizeBytes * count)]);
  const shared = { ...Object.fromEntries(hugePages), pods: String(maxPods) };
  const capacity = {
    ...Object.fromEntries([...devices].map(([resource, { total }]) => [resource, String(total)])),
    ...shared,
    cpu: String(machine.cpus),
    memory: bytes(machine.memoryBytes),
    'ephemeral-storage': bytes(storageBytes),
  };
  const foreign = Object.entries(previous?.capacity ?? {}).filter(([name]) => !(name in capacity) && isExtendedResource(name));
  return {
    capacity,
    allocatable: {
      ...Object.fromEntries(foreign),
      ...Object.fromEntries([...devices].map(([resource, { healthy }]) => [resource, String(healthy)])),
      ...shared,
      cpu: formatQuantity(milliQuantityOf(left(milliCPU, 'cpu'))),
      memory: bytes(Math.max(0, left(machine.memoryBytes, 'memory', 'memory.available') - hugeBytes)),
      'ephemeral-storage': bytes(left(storageBytes, 'ephemeral-storage', 'nodefs.available')),
    },
  };
}

function hardThreshold({ thresholds }: EvictionSettings, signal: Signal, capacity: number): number {
  const hard = thresholds.find((threshold) => threshold.signal === signal && threshold.graceMs === 0);
  return hard ? amountOf(hard.value, capacity) : 0;
}

/** The reason why the node cannot reserve the configured resources, in the kubelet's words; undefined if it can. */
export function reservationProblem(input: Omit<NodeResourcesInput, 'maxPods' | 'devices' | 'previous'>): string | undefined {
  const { machine, storageBytes, allocatable: settings, eviction } = input;
  const capacities = [
    ['cpu', machine.cpus * 1000, undefined],
    ['memory', machine.memoryBytes, 'memory.available'],
    ['ephemeral-storage', storageBytes, 'nodefs.available'],
  ] as const;
  const problems = capacities.flatMap(([resource, capacity, signal]) => {
    const reserved = reservedAmount(settings, resource) + (signal === undefined ? 0 : hardThreshold(eviction, signal, capacity));
    if (reserved <= capacity) return [];
    const text = (amount: number) => formatQuantity(resource === 'cpu' ? milliQuantityOf(amount) : quantityOf(amount, 'BinarySI'));
    return [
      `Resource "${resource}" has a reservation of ${text(reserved)} but capacity of ${text(capacity)}. Expected capacity >= reservation.`,
    ];
  });
  return problems.length > 0 ? `invalid Node Allocatable configuration. ${problems.join(' ')}` : undefined;
}
