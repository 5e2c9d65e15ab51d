import { addQuantities, maxQuantity, quantityOf } from '../../base/quantity/arithmetic.ts';
import { formatQuantity, parseQuantity, type Quantity } from '../../base/quantity/quantity.ts';

/** Quantities by resource name (`cpu`, `memory`, `nvidia.com/gpu`), parsed. */
export type ResourceAmounts = Map<string, Quantity>;

/** The wire form: quantities as text. */
type WireResourceList = Readonly<Record<string, string>> | undefined;

export function parseResourceList(list: WireResourceList): ResourceAmounts {
  const amounts: ResourceAmounts = new Map();
  for (const name in list) amounts.set(name, parseQuantity(String(list[name])));
  return amounts;
}

export function formatResourceList(amounts: ReadonlyMap<string, Quantity>): Record<string, string> {
  return Object.fromEntries(Array.from(amounts, ([name, quantity]) => [name, formatQuantity(quantity)]));
}

/** Adds to `total`. Modifies it. */
export function addResources(total: ResourceAmounts, added: ReadonlyMap<string, Quantity>): void {
  for (const [name, quantity] of added) total.set(name, addQuantities(total.get(name) ?? quantityOf(0, quantity.format), quantity));
}

/** Raises `total` where `other` is more. Modifies it. */
export function raiseResources(total: ResourceAmounts, other: ReadonlyMap<string, Quantity>): void {
  for (const [name, quantity] of other) {
    const present = total.get(name);
    total.set(name, present === undefined ? quantity : maxQuantity(present, quantity));
  }
}

/** Whether the kubelet and the scheduler know the resource without a plugin: its name has no domain, or one under kubernetes.io. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** Resources that plugins offer: whole numbers, of another domain. */
export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.');
}

export function isHugePagesResource(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Resources that may be given for a whole Pod (KEP-2837). */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePagesResource(name);
}
