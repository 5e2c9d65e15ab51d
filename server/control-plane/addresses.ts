import os from 'node:os';
import { formatIP, networkAddress, parseCIDR } from '../../api/base/ip-address.ts';

/** The address by which other machines reach this one: the first that is neither a loopback address nor on a Pod network. */
export function machineAddress(): string {
  for (const [name, addresses] of Object.entries(os.networkInterfaces())) {
    if (/^(lo|cni|veth|docker|br-|kubets)/.test(name)) continue;
    const found = addresses?.find(({ family, internal }) => family === 'IPv4' && !internal);
    if (found) return found.address;
  }
  return '127.0.0.1';
}

/** Every IPv4 and IPv6 address of this machine: the serving certificate names them all. */
export function allAddresses(): string[] {
  const addresses = Object.entries(os.networkInterfaces()).flatMap(([name, list]) => (/^(cni|veth)/.test(name) ? [] : (list ?? [])));
  return [...new Set(addresses.filter(({ address }) => !address.startsWith('fe80:')).map(({ address }) => address))];
}

/** The first address of a range: that of the Service default/kubernetes. */
export function firstAddress(cidr: string): string {
  return addressAt(cidr, 1);
}

/** The address `offset` places into a range. Throws for a text that is not a CIDR. */
export function addressAt(cidr: string, offset: number): string {
  const range = parseCIDR(cidr);
  if (range === undefined) throw new Error(`${cidr} is not a range of addresses`);
  const { version, value } = networkAddress(range);
  return formatIP({ version, value: value + BigInt(offset) });
}
