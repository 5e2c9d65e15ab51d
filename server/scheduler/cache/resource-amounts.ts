import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityMilliValue, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { parseQuantity, type Quantity } from '../../../api/base/quantity/quantity.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

/** Resource name -> amount: cpu in millicores, everything else in its own unit (bytes, pieces). */
export type ResourceAmounts = ReadonlyMap<string, number>;

interface PodAmounts {
  readonly requests: ResourceAmounts;
  readonly nonZero: { readonly cpu: number; readonly memory: number };
}

/** The amounts that upstream counts for containers without requests, so that such pods spread too. */
const defaultMilliCPU = 100;
const defaultMemory = 200 * 1024 * 1024;

const known = new WeakMap<object, PodAmounts>();

/** The resources that a pod takes on its node; computed once per revision of the pod. */
export function podAmounts(pod: DeepReadonly<Pod>): PodAmounts {
  let amounts = known.get(pod);
  if (!amounts) {
    const requests = new Map<string, number>();
    for (const [resource, quantity] of podRequests(pod)) requests.set(resource, amountOf(resource, quantity));
    amounts = { requests, nonZero: { cpu: requests.get('cpu') || defaultMilliCPU, memory: requests.get('memory') || defaultMemory } };
    known.set(pod, amounts);
  }
  return amounts;
}

export function resourceAmounts(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  return new Map(Object.entries(list ?? {}).map(([resource, text]) => [resource, amountOf(resource, parseQuantity(text))]));
}

function amountOf(resource: string, quantity: Quantity): number {
  return resource === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
}
