/** An IPv4 or IPv6 address as a number. */
export interface IPAddress {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** An address and the length of its prefix; the address may have bits beyond it. */
export interface CIDR {
  readonly address: IPAddress;
  readonly prefixLength: number;
}

interface ParseIPOptions {
  /** Accepts leading zeros in IPv4 octets and prefix lengths, which old API fields let pass. */
  readonly leadingZeros?: boolean;
}

export function bitsOf(version: 4 | 6): 32 | 128 {
  return version === 4 ? 32 : 128;
}

/** Reads `10.0.0.1` or `fd00::1`; undefined if it is neither. Zones (`%eth0`) are not accepted. */
export function parseIP(text: string, options: ParseIPOptions = {}): IPAddress | undefined {
  const version = text.includes(':') ? 6 : 4;
  const value = version === 6 ? parseIPv6(text, options) : parseIPv4(text, options);
  return value === undefined ? undefined : { version, value };
}

function parseIPv4(text: string, options: ParseIPOptions): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0n;
  for (const octet of octets) {
    if (!/^\d+$/.test(octet) || Number(octet) > 255) return undefined;
    if (!options.leadingZeros && octet.length > 1 && octet.startsWith('0')) return undefined;
    value = (value << 8n) | BigInt(Number(octet));
  }
  return value;
}

function parseIPv6(text: string, options: ParseIPOptions): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half, index) => parseGroups(half, options, index === halves.length - 1));
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => 0n), ...(tail ?? [])];
  return all.reduce((value, group) => (value << 16n) | group, 0n);
}

function parseGroups(text: string, options: ParseIPOptions, isLast: boolean): bigint[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: bigint[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const embedded = isLast && index === parts.length - 1 ? parseIPv4(part, options) : undefined;
      if (embedded === undefined) return undefined;
      groups.push(embedded >> 16n, embedded & 0xffffn);
    } else {
      if (!/^[\da-f]{1,4}$/i.test(part)) return undefined;
      groups.push(BigInt(`0x${part}`));
    }
  }
  return groups;
}

/** Whether an IPv6 address is an IPv4 address in IPv6 form (`::ffff:10.0.0.1`). */
export function isIPv4Mapped(ip: IPAddress): boolean {
  return ip.version === 6 && ip.value >> 32n === 0xffffn;
}

/** The canonical text (RFC 5952); IPv4-mapped addresses in IPv4 form. */
export function formatIP(ip: IPAddress): string {
  if (ip.version === 4 || isIPv4Mapped(ip)) {
    const value = Number(ip.value & 0xffff_ffffn);
    return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
  }
  const groups = Array.from({ length: 8 }, (_, index) => Number((ip.value >> BigInt(16 * (7 - index))) & 0xffffn));
  let longest = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > longest.length) longest = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (longest.start < 0) return hex.join(':');
  return `${hex.slice(0, longest.start).join(':')}::${hex.slice(longest.start + longest.length).join(':')}`;
}

/** Parses a range such as `10.0.0.0/8`; undefined for other texts. */
export function parseCIDR(text: string, options: ParseIPOptions = {}): CIDR | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseIP(text.slice(0, slash), options);
  const length = text.slice(slash + 1);
  if (address === undefined || !/^\d+$/.test(length)) return undefined;
  if (!options.leadingZeros && length.length > 1 && length.startsWith('0')) return undefined;
  const prefixLength = Number(length);
  return prefixLength > bitsOf(address.version) ? undefined : { address, prefixLength };
}

/** The first address of the network: everything beyond the prefix cleared. */
export function networkAddress({ address, prefixLength }: CIDR): IPAddress {
  const hostBits = BigInt(bitsOf(address.version) - prefixLength);
  return { version: address.version, value: (address.value >> hostBits) << hostBits };
}

/** The canonical text of the network. */
export function formatCIDR(cidr: CIDR): string {
  return `${formatIP(networkAddress(cidr))}/${cidr.prefixLength}`;
}

export function cidrContains(cidr: CIDR, ip: IPAddress): boolean {
  if (cidr.address.version !== ip.version) return false;
  const hostBits = BigInt(bitsOf(ip.version) - cidr.prefixLength);
  return cidr.address.value >> hostBits === ip.value >> hostBits;
}
