import { bitsOf, formatIP, networkAddress, parseCIDR } from '../../../api/base/ip-address.ts';

/** The equal parts of a range of Pod addresses, one for each node. */
interface NodeRanges {
  readonly count: number;
  /** The part at `index`, from 0. */
  at(index: number): string;
}

/** Prefix lengths of the nodes' parts. */
interface NodeMaskSizes {
  readonly IPv4: number;
  readonly IPv6: number;
}

/** The maximum number of nodes, even where an IPv6 range would have room for more. */
const maxCount = 2 ** 16;

/** The parts of each range in a list with commas between. Throws with words for the user if they cannot be divided so. */
export function divideClusterCIDRs(clusterCIDRs: string, sizes: NodeMaskSizes): NodeRanges[] {
  return clusterCIDRs.split(',').map((cidr) => divideClusterCIDR(cidr, cidr.includes(':') ? sizes.IPv6 : sizes.IPv4));
}

/** Throws with words for the user if the range cannot be divided so. */
export function divideClusterCIDR(clusterCIDR: string, maskSize: number): NodeRanges {
  const cidr = parseCIDR(clusterCIDR);
  if (cidr === undefined) throw new Error(`${clusterCIDR} is not a range of addresses`);
  const { version, value: first } = networkAddress(cidr);
  const bits = bitsOf(version);
  if (!Number.isInteger(maskSize) || maskSize < cidr.prefixLength || maskSize > bits - 2)
    throw new Error(`ranges of nodes of /${maskSize} cannot be cut out of ${clusterCIDR}`);
  const nodeSize = 1n << BigInt(bits - maskSize);
  return {
    count: Math.min(maxCount, 2 ** (maskSize - cidr.prefixLength)),
    at: (index) => `${formatIP({ version, value: first + BigInt(index) * nodeSize })}/${maskSize}`,
  };
}

/** The index of the first free part from `start` on, wrapping at the end; undefined if all are taken. */
export function findFreeRange(ranges: NodeRanges, taken: ReadonlySet<string>, start: number): number | undefined {
  for (let tried = 0; tried < ranges.count; tried++) {
    const index = (start + tried) % ranges.count;
    if (!taken.has(ranges.at(index))) return index;
  }
  return undefined;
}
