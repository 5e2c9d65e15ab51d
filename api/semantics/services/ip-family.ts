import { parseCIDR, parseIP } from '../../base/ip-address.ts';

/** A family of addresses as Services name it in spec.ipFamilies, and EndpointSlices in addressType. */
export type IPFamily = 'IPv4' | 'IPv6';

/** The default order of a node's and a Pod's address families. */
export const ipFamilies: readonly IPFamily[] = ['IPv4', 'IPv6'];

/** The family of an address or a CIDR, also in the forms that old objects may have; undefined if it is neither. */
export function familyOf(text: string): IPFamily | undefined {
  const leadingZeros = true;
  const version = parseIP(text, { leadingZeros })?.version ?? parseCIDR(text, { leadingZeros })?.address.version;
  return version && (version === 4 ? 'IPv4' : 'IPv6');
}

/** The families of addresses and CIDRs, in the order in which they come first. */
export function familiesOf(texts: readonly string[]): IPFamily[] {
  return [...new Set(texts.flatMap((text) => familyOf(text) ?? []))];
}

/** The addresses of one family, in their order. */
export function ofFamily(texts: readonly string[], family: IPFamily): string[] {
  return texts.filter((text) => familyOf(text) === family);
}
