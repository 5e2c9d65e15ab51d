import { bitsOf, cidrContains, formatIP, type IPAddress, networkAddress, parseCIDR, parseIP } from '../../../../api/base/ip-address.ts';
import type { Random } from '../../../../api/base/random.ts';

/** Addresses of a CIDR that Services can have: without the network's own and, for IPv4, without the broadcast address. */
export interface AddressRange {
  readonly cidr: string;
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly size: bigint;
  /** Size of the lower part, which is kept for addresses that are asked for by name as long as there are others (KEP-3070). */
  readonly reserved: bigint;
}

const smallestBand = 16n;
const largestBand = 256n;
const bandShare = 16n;
/** IPv6 ranges are used up to this size only. */
const maxSize = 1n << 60n;

/** Throws an Error for a text that is not a CIDR. */
export function parseAddressRange(text: string): AddressRange {
  const cidr = parseCIDR(text);
  if (!cidr) throw new Error(`${text} is not a CIDR`);
  const { version, value } = networkAddress(cidr);
  const all = 1n << BigInt(bitsOf(version) - cidr.prefixLength);
  const usable = version === 4 ? all - 2n : all - 1n;
  const size = usable < 0n ? 0n : usable > maxSize ? maxSize : usable;
  return { cidr: text, version, first: value + 1n, size, reserved: reservedBand(size) };
}

function reservedBand(size: bigint): bigint {
  if (size <= smallestBand) return 0n;
  const share = size / bandShare;
  return share < smallestBand ? smallestBand : share > largestBand ? largestBand : share;
}

type RangePosition = 'inside' | 'edge' | 'outside';

/** `edge`: within the CIDR, but no address that anything can have. */
export function positionOf(range: AddressRange, address: IPAddress): RangePosition {
  const cidr = parseCIDR(range.cidr);
  if (!cidr || !cidrContains(cidr, address)) return 'outside';
  return address.value >= range.first && address.value < range.first + range.size ? 'inside' : 'edge';
}

/** Every address once: the upper part from a random place on, then the lower part. */
export function* candidates(range: AddressRange, random: Random): Generator<string> {
  for (const offset of rotated(range.reserved, range.size, random)) yield format(range, offset);
  for (const offset of rotated(0n, range.reserved, random)) yield format(range, offset);
}

function* rotated(from: bigint, to: bigint, random: Random): Generator<bigint> {
  const count = to - from;
  if (count <= 0n) return;
  const start = BigInt(Math.floor(random.next() * Number(count))) % count;
  for (let step = 0n; step < count; step++) yield from + ((start + step) % count);
}

function format({ version, first }: AddressRange, offset: bigint): string {
  return formatIP({ version, value: first + offset });
}

/** The address in the spelling of IPAddress names; undefined for a text that is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseIP(text, { leadingZeros: true });
  return address && formatIP(address);
}
