import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityOf, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { Observation } from './plan-eviction.ts';
import { resourceOf } from './rank-pods.ts';
import { amountOf, type Threshold } from './thresholds.ts';

function text(amount: number): string {
  return formatQuantity(quantityOf(Math.round(amount), 'BinarySI'));
}

/** The message in the status of an evicted Pod. `usages`: by container, of memory or disk; inodes and processes have none. */
export function evictionMessage(
  { signal, value }: Threshold,
  { available, capacity }: Observation,
  pod: DeepReadonly<Pod>,
  usages: ReadonlyMap<string, number>,
): string {
  const resource = resourceOf[signal];
  const isTold = resource === 'memory' || resource === 'ephemeral-storage';
  const consumers = (isTold ? [...usages] : []).flatMap(([name, usage]) => {
    const container = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((one) => one.name === name);
    if (!container) return []; // of the Pod's volumes nothing is said
    const request = container.resources?.requests?.[resource];
    if (usage <= (request === undefined ? 0 : quantityValue(request))) return [];
    return [`Container ${name} was using ${text(usage)}, request is ${request ?? '0'}, has larger consumption of ${resource}. `];
  });
  const threshold = `Threshold quantity: ${text(amountOf(value, capacity))}, available: ${text(available)}. `;
  return `The node was low on resource: ${resource}. ${threshold}${consumers.join('')}`;
}

export function emptyDirMessage(volume: string, limit: string): string {
  return `Usage of EmptyDir volume "${volume}" exceeds the limit "${limit}". `;
}

export function containerStorageMessage(container: string, limit: string): string {
  return `Container ${container} exceeded its local ephemeral storage limit "${limit}". `;
}

export function podStorageMessage(limit: string): string {
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
}

export function conditionMessage(pressures: readonly string[]): string {
  return `The node had condition: [${pressures.join(' ')}]. `;
}
