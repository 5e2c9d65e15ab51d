import { BlockList } from 'node:net';
import { parseCIDR, parseIP } from '../../api/base/ip-address.ts';

/** Tells whose queries are answered: those from addresses and CIDRs of the list, and from loopback. Throws if one is neither. */
export function createSourceFilter(sources: readonly string[]): (address: string) => boolean {
  const allowed = new BlockList();
  for (const source of ['127.0.0.0/8', '::1/128', ...sources]) {
    const range = parseCIDR(source.includes('/') ? source : `${source}/${parseIP(source)?.version === 6 ? 128 : 32}`);
    if (range === undefined) throw new TypeError(`no address or CIDR: ${source}`);
    const [address = ''] = source.split('/');
    allowed.addSubnet(address, range.prefixLength, range.address.version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => allowed.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
