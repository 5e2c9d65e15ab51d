import { cidrContains, networkAddress, parseCIDR, parseIP } from '../../base/ip-address.ts';
import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { ServiceCIDR } from '../../types/networking-v1.ts';

/** The label of the IPAddresses that the API server's allocator made. */
export const addressManagerLabel = 'ipaddress.kubernetes.io/managed-by';
export const addressManager = 'ipallocator.k8s.io';
export const addressFamilyLabel = 'ipaddress.kubernetes.io/ip-family';

/** Whether a Service can have the address from that range. The network's own address and IPv4's broadcast address cannot be used. */
export function rangeHoldsAddress(range: string, address: string): boolean {
  const [cidr, ip] = [parseCIDR(range), parseIP(address)];
  if (!cidr || !ip || !cidrContains(cidr, ip)) return false;
  const first = networkAddress(cidr).value;
  const last = first + (1n << BigInt(32 - Math.min(cidr.prefixLength, 32))) - 1n;
  return ip.value !== first && (ip.version === 6 || ip.value !== last);
}

/** Whether the first range lies within the second, or is the same. */
export function isWithinRange(inner: string, outer: string): boolean {
  const [one, other] = [parseCIDR(inner), parseCIDR(outer)];
  return one !== undefined && other !== undefined && other.prefixLength <= one.prefixLength && cidrContains(other, one.address);
}

export function rangesOverlap(one: string, other: string): boolean {
  return isWithinRange(one, other) || isWithinRange(other, one);
}

/** The ServiceCIDRs that contain the address. */
export function holdersOf<T extends DeepReadonly<ServiceCIDR>>(all: readonly T[], address: string): T[] {
  return all.filter(({ spec }) => (spec?.cidrs ?? []).some((range) => rangeHoldsAddress(range, address)));
}
