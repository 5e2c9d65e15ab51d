import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { holdersOf, isWithinRange } from '../../../api/semantics/services/service-cidrs.ts';
import type { ServiceCIDR } from '../../../api/types/networking-v1.ts';

/**
 * Whether a ServiceCIDR can be deleted: each of its ranges lies within a range of another ServiceCIDR, or none of the allocated addresses
 * lies only in it.
 */
export function isRemovable(
  own: DeepReadonly<ServiceCIDR>,
  all: readonly DeepReadonly<ServiceCIDR>[],
  addresses: readonly string[],
): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== own.metadata.name);
  const otherRanges = others.flatMap(({ spec }) => spec?.cidrs ?? []);
  const ranges = own.spec?.cidrs ?? [];
  if (ranges.every((range) => otherRanges.some((other) => isWithinRange(range, other)))) return true;
  return addresses.every((address) => holdersOf([own], address).length === 0 || holdersOf(others, address).length > 0);
}
