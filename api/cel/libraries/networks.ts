import { quote } from '../../base/quote.ts';
import {
  type CIDR,
  cidrContains,
  formatIP,
  type IPAddress,
  isIPv4Mapped,
  networkAddress,
  parseCIDR,
  parseIP,
} from '../../base/ip-address.ts';
import { declare, global, member } from './declare.ts';
import { boolType, intType, opaqueType, stringType } from '../types/types.ts';
import { type CELValue, Failure, noSuchOverload, type OpaqueValue } from '../types/values.ts';
import type { FunctionDeclaration, Library } from '../declarations.ts';

const ipType = opaqueType('net.IP');
const cidrType = opaqueType('net.CIDR');

const isSameIP = (a: IPAddress, b: IPAddress): boolean => a.version === b.version && a.value === b.value;

class IPValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = ipType;
  readonly address: IPAddress;
  readonly costSize: number;
  constructor(address: IPAddress) {
    this.address = address;
    this.costSize = address.version === 4 ? 4 : 16;
  }
  equals(other: CELValue): boolean {
    return other instanceof IPValue && isSameIP(this.address, other.address);
  }
}

class CIDRValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = cidrType;
  readonly cidr: CIDR;
  readonly costSize: number;
  constructor(cidr: CIDR) {
    this.cidr = cidr;
    this.costSize = Math.ceil(cidr.prefixLength / 8);
  }
  equals(other: CELValue): boolean {
    return (
      other instanceof CIDRValue && other.cidr.prefixLength === this.cidr.prefixLength && isSameIP(this.cidr.address, other.cidr.address)
    );
  }
}

function findIP(text: string): IPAddress | undefined {
  const address = parseIP(text);
  return address === undefined || isIPv4Mapped(address) ? undefined : address;
}

function ipOfText(text: string): IPValue {
  if (/^[^%]+%./.test(text) && parseIP(text.split('%')[0] ?? '')?.version === 6) {
    throw new Failure(`IP address ${quote(text)} with zone value is not allowed`);
  }
  const address = parseIP(text);
  if (address === undefined) {
    throw new Failure(`IP Address ${quote(text)} parse error during conversion from string: ParseAddr(${quote(text)}): ${ipProblem(text)}`);
  }
  if (isIPv4Mapped(address)) throw new Failure(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`);
  return new IPValue(address);
}

function ipProblem(text: string): string {
  const dots = text.split('.').length - 1;
  if (dots === 0 || text.includes(':') || !/^[0-9.]+$/.test(text)) return 'unable to parse IP';
  return dots < 3 ? 'IPv4 address too short' : dots > 3 ? 'IPv4 address too long' : 'IPv4 field has value >255';
}

function cidrProblem(text: string): string {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return "no '/'";
  const bits = text.slice(slash + 1);
  if (parseIP(text.slice(0, slash)) === undefined) return 'unable to parse IP';
  return /^(0|[1-9]\d*)$/.test(bits) ? 'prefix length out of range' : `bad bits after slash: ${quote(bits)}`;
}

function cidrOfText(text: string): CIDRValue {
  const cidr = parseCIDR(text);
  const prefix = 'network address parse error during conversion from string: ';
  if (cidr === undefined) throw new Failure(`${prefix}${prefix}netip.ParsePrefix(${quote(text)}): ${cidrProblem(text)}`);
  if (isIPv4Mapped(cidr.address)) throw new Failure(`${prefix}IPv4-mapped IPv6 address ${quote(text)} is not allowed`);
  return new CIDRValue(cidr);
}

function isCIDR(text: string): boolean {
  const cidr = parseCIDR(text);
  return cidr !== undefined && !isIPv4Mapped(cidr.address);
}

/** Whether the address is in that network; false for the other family. */
const within =
  (...networks: readonly string[]) =>
  ({ address }: IPValue): boolean =>
    networks.some((network) => {
      const cidr = parseCIDR(network);
      return cidr !== undefined && cidr.address.version === address.version && cidrContains(cidr, address);
    });

const isUnspecified = within('0.0.0.0/32', '::/128');
const isLoopback = within('127.0.0.0/8', '::1/128');
const isLinkLocalUnicast = within('169.254.0.0/16', 'fe80::/10');
const isMulticast = within('224.0.0.0/4', 'ff00::/8');
const isBroadcast = within('255.255.255.255/32');
/** Go's IsLinkLocalMulticast: for IPv6 the scope decides, whatever the flags. */
const isLinkLocalMulticast = ({ address }: IPValue): boolean =>
  address.version === 4
    ? within('224.0.0.0/24')(new IPValue(address))
    : address.value >> 120n === 0xffn && ((address.value >> 112n) & 0xfn) === 2n;

const isGlobalUnicast = (ip: IPValue): boolean =>
  !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip) && !isBroadcast(ip);

const test = (name: string, id: string, holds: (ip: IPValue) => boolean): FunctionDeclaration =>
  declare(name, member(id, [ipType], boolType, holds));

export const ipLibrary: Library = {
  types: [ipType],
  functions: [
    declare('ip', global('string_to_ip', [stringType], ipType, ipOfText)),
    declare(
      'isIP',
      global('is_ip', [stringType], boolType, (text: string) => findIP(text) !== undefined),
    ),
    declare(
      'ip.isCanonical',
      global('ip_is_canonical', [stringType], boolType, (text: string) => formatIP(ipOfText(text).address) === text),
    ),
    declare(
      'family',
      member('ip_family', [ipType], intType, ({ address }: IPValue) => BigInt(address.version)),
    ),
    test('isUnspecified', 'ip_is_unspecified', isUnspecified),
    test('isLoopback', 'ip_is_loopback', isLoopback),
    test('isLinkLocalMulticast', 'ip_is_link_local_multicast', isLinkLocalMulticast),
    test('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
    test('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
    declare(
      'string',
      global('ip_to_string', [ipType], stringType, ({ address }: IPValue) => formatIP(address)),
    ),
  ],
};

const containsIP = ({ cidr }: CIDRValue, { address }: IPValue): boolean =>
  cidr.address.version === address.version && cidrContains(cidr, address);

const containsCIDR = (outer: CIDRValue, inner: CIDRValue): boolean =>
  outer.cidr.prefixLength <= inner.cidr.prefixLength &&
  outer.cidr.address.version === inner.cidr.address.version &&
  cidrContains(outer.cidr, inner.cidr.address);

const masked = ({ cidr }: CIDRValue): CIDRValue => new CIDRValue({ address: networkAddress(cidr), prefixLength: cidr.prefixLength });

/** The text, where it is what a network is asked about; upstream has no overload for another. */
function known(text: string, isKnown: boolean): string {
  if (!isKnown) throw noSuchOverload();
  return text;
}

export const cidrLibrary: Library = {
  types: [cidrType, ipType],
  functions: [
    declare('cidr', global('string_to_cidr', [stringType], cidrType, cidrOfText)),
    declare('isCIDR', global('is_cidr', [stringType], boolType, isCIDR)),
    declare(
      'containsIP',
      member('cidr_contains_ip_string', [cidrType, stringType], boolType, (cidr: CIDRValue, text: string) =>
        containsIP(cidr, ipOfText(known(text, findIP(text) !== undefined))),
      ),
      member('cidr_contains_ip_ip', [cidrType, ipType], boolType, containsIP),
    ),
    declare(
      'containsCIDR',
      member('cidr_contains_cidr_string', [cidrType, stringType], boolType, (cidr: CIDRValue, text: string) =>
        containsCIDR(cidr, cidrOfText(known(text, isCIDR(text)))),
      ),
      member('cidr_contains_cidr', [cidrType, cidrType], boolType, containsCIDR),
    ),
    declare(
      'ip',
      member('cidr_ip', [cidrType], ipType, ({ cidr }: CIDRValue) => new IPValue(cidr.address)),
    ),
    declare(
      'prefixLength',
      member('cidr_prefix_length', [cidrType], intType, ({ cidr }: CIDRValue) => BigInt(cidr.prefixLength)),
    ),
    declare('masked', member('cidr_masked', [cidrType], cidrType, masked)),
    declare(
      'string',
      global('cidr_to_string', [cidrType], stringType, ({ cidr }: CIDRValue) => `${formatIP(cidr.address)}/${cidr.prefixLength}`),
    ),
  ],
};
