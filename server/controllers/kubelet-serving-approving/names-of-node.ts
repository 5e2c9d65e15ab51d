import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { cidrContains, formatIP, type IPAddress, parseCIDR, parseIP } from '../../../api/base/ip-address.ts';
import type { CertificateRequestFacts } from '../../../api/semantics/certificates/certificate-request.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';

/** Names and addresses under which others than nodes are reached. */
export interface ReservedNames {
  /** e.g. cluster.local */
  readonly clusterDomain: string;
  /** Ranges of Services and Pods. */
  readonly ranges: readonly string[];
  /** Whether the API server's own certificate is good for a name or an address. */
  isOfAPIServer(name: string): boolean;
}

/** Addresses that mean another machine, or none, wherever they are used. */
const unroutable = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8'];

/**
 * The first name or address in a request that no node may be given a certificate for without a person: of the API server,
 * of Services and Pods, of the machine itself, or not to be read. Undefined if there is none.
 */
export function findReservedName(
  { dnsNames, addresses }: Pick<CertificateRequestFacts, 'dnsNames' | 'addresses'>,
  reserved: ReservedNames,
): string | undefined {
  return dnsNames.find((name) => isReservedName(name, reserved)) ?? addresses.find((address) => isReservedAddress(address, reserved));
}

function isReservedName(name: string, reserved: ReservedNames): boolean {
  const { clusterDomain, isOfAPIServer } = reserved;
  // Some nodes are called by their address.
  if (/^[\d.]+$/.test(name)) return isReservedAddress(name, reserved);
  const isOfCluster = [clusterDomain, 'cluster.local', 'svc', 'localhost'].some((domain) => name === domain || name.endsWith(`.${domain}`));
  return isOfCluster || dns1123SubdomainProblems(name).length > 0 || isOfAPIServer(name);
}

function isReservedAddress(text: string, { ranges, isOfAPIServer }: ReservedNames): boolean {
  const ip = parsePlainIP(text);
  if (!ip || isOfAPIServer(formatIP(ip))) return true;
  return [...unroutable, ...ranges].some((range) => {
    const cidr = parseCIDR(range);
    return cidr !== undefined && cidrContains(cidr, ip);
  });
}

/** Parses an address; an IPv4 address in IPv6 form counts as the IPv4 address. */
function parsePlainIP(text: string): IPAddress | undefined {
  const ip = parseIP(text);
  return ip && parseIP(formatIP(ip));
}

/**
 * The first name or address in a request that does not belong to the node alone: the Node does not state it, or another node states it or
 * has it as its name. Other nodes cannot take a node's own name from it by stating it. Undefined if there is none.
 */
export function findForeignName(
  request: Pick<CertificateRequestFacts, 'dnsNames' | 'addresses'>,
  node: DeepReadonly<Node>,
  all: readonly DeepReadonly<Node>[],
): string | undefined {
  const own = new Set(statedBy(node));
  const others = new Set(all.filter(({ metadata }) => metadata.name !== node.metadata.name).flatMap(statedBy));
  const isForeign = (name: string) => !own.has(canonical(name)) || (others.has(canonical(name)) && name !== node.metadata.name);
  return [...request.dnsNames, ...request.addresses].find(isForeign);
}

function statedBy({ metadata, status }: DeepReadonly<Node>): string[] {
  return [metadata.name ?? '', ...(status?.addresses ?? []).map(({ address }) => address)].map(canonical);
}

function canonical(name: string): string {
  const ip = parseIP(name);
  return ip ? formatIP(ip) : name.toLowerCase();
}
