/** How the Pods' addresses of a cluster are dealt out to its nodes: equal parts of one IPv4 range. */
export interface NodeRanges {
  readonly count: number;
  /** The part at `index`, from 0. */
  at(index: number): string;
}

/** Throws with words for the user if the range cannot be divided so. */
export function divideClusterCIDR(clusterCIDR: string, maskSize: number): NodeRanges {
  const [base = '', bits = ''] = clusterCIDR.split('/');
  const parts = base.split('.').map(Number);
  const size = Number(bits);
  const isIPv4 = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);
  if (!isIPv4 || !/^\d+$/.test(bits) || size > 32) throw new Error(`${clusterCIDR} is not an IPv4 range`);
  if (!Number.isInteger(maskSize) || maskSize < size || maskSize > 30)
    throw new Error(`ranges of nodes of /${maskSize} cannot be cut out of ${clusterCIDR}`);
  const nodeSize = 2 ** (32 - maskSize);
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  const first = value - (value % 2 ** (32 - size));
  return {
    count: 2 ** (maskSize - size),
    at(index) {
      const address = first + index * nodeSize;
      return `${[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')}/${maskSize}`;
    },
  };
}

/** Index of the first part from `start` on, around the end, that nobody has; undefined if all are taken. */
export function findFreeRange(ranges: NodeRanges, taken: ReadonlySet<string>, start: number): number | undefined {
  for (let tried = 0; tried < ranges.count; tried++) {
    const index = (start + tried) % ranges.count;
    if (!taken.has(ranges.at(index))) return index;
  }
  return undefined;
}
