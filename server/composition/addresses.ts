import os from 'node:os';

/** The address by which this machine is known to others: the first that is not of a loopback or of a pod network. */
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

/** The first address of an IPv4 range: that of the Service default/kubernetes. */
export function firstAddress(cidr: string): string {
  return addressAt(cidr, 1);
}

/** The address `offset` places into an IPv4 range. */
export function addressAt(cidr: string, offset: number): string {
  const [base = '', bits = ''] = cidr.split('/');
  const parts = base.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255) || !/^\d+$/.test(bits))
    throw new Error(`${cidr} is not an IPv4 range`);
  const mask = Number(bits) === 0 ? 0 : (0xffffffff << (32 - Number(bits))) >>> 0;
  const value = ((parts.reduce((sum, part) => sum * 256 + part, 0) & mask) >>> 0) + offset;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
