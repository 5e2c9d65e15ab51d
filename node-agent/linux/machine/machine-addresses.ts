import { networkInterfaces } from 'node:os';
import { cidrContains, parseCIDR, parseIP } from '../../../api/base/ip-address.ts';
import { familyOf, type IPFamily } from '../../../api/semantics/services/ip-family.ts';

/**
 * The node's addresses that take traffic to node ports, after kube-proxy's flag --nodeport-addresses: `primary` for the
 * node's own addresses, else those of all interfaces within the CIDRs. Throws a TypeError on anything else.
 */
export function createNodePortAddresses(choice: readonly string[], nodeIPs: readonly string[]): () => Promise<readonly string[]> {
  if (choice.length === 0 || (choice.length === 1 && choice[0] === 'primary')) return async () => nodeIPs;
  const ranges = choice.map((text) => {
    const range = parseCIDR(text);
    if (range === undefined) throw new TypeError(`--nodeport-addresses takes CIDRs, or primary: ${text}`);
    return range;
  });
  return async () =>
    machineAddresses().filter((text) => {
      const ip = parseIP(text);
      // Packets to loopback do not leave it, whatever the rules say.
      return ip !== undefined && !isLoopback(text) && ranges.some((range) => cidrContains(range, ip));
    });
}

/**
 * The node's default addresses: `address`, by which the machine is known, and for each other family the first address of the same interface
 * that others can reach.
 */
export function ownAddresses(address: string | undefined, families: readonly IPFamily[]): string[] {
  if (address === undefined) return [];
  const interfaces = Object.values(networkInterfaces()).map((addresses) => addresses ?? []);
  const own = interfaces.find((addresses) => addresses.some((one) => one.address === address)) ?? [];
  const others = families.filter((family) => family !== familyOf(address));
  const isReachable = (text: string) => !isLoopback(text) && !text.startsWith('fe80:');
  return [
    address,
    ...others.flatMap((family) => own.find((one) => familyOf(one.address) === family && isReachable(one.address))?.address ?? []),
  ];
}

/** Addresses of the interfaces of this network namespace that are up, without zones. */
export function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address }) => (familyOf(address) === undefined ? [] : [address]));
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
