import { BlockList, isIP } from 'node:net';
import { formatIP, parseCIDR, parseIP } from '../../../api/base/ip-address.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';

/**
 * Makes a function that decides whose queries are answered: those from addresses and CIDRs of the list, and from loopback. Throws if an
 * entry is neither.
 */
export function createSourceFilter(sources: readonly string[]): (address: string) => boolean {
  const allowed = new BlockList();
  for (const source of ['127.0.0.0/8', '::1/128', ...sources]) {
    const range = parseCIDR(source.includes('/') ? source : `${source}/${parseIP(source)?.version === 6 ? 128 : 32}`);
    if (range === undefined) throw new TypeError(`no address or CIDR: ${source}`);
    const [address = ''] = source.split('/');
    allowed.addSubnet(address, range.prefixLength, range.address.version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    // The scope of a link-local address is removed; other texts throw.
    const [plain = ''] = address.split('%');
    const family = isIP(plain);
    return family !== 0 && allowed.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}

const byAddress = 'dns/address';

/**
 * Tells which addresses belong to nodes. Pods of a node without a DNS server ask with the node's address if its network hides theirs, and
 * so does the node itself.
 */
export function followNodeAddresses(informers: InformerFactory): (address: string) => boolean {
  const informer = informers.informer(nodes);
  informer.addIndex(byAddress, ({ status }) => (status?.addresses ?? []).flatMap(({ address }) => canonical(address) ?? []));
  return (address) => informer.lister.byIndex(byAddress, canonical(address) ?? '').length > 0;
}

function canonical(address: string): string | undefined {
  const ip = parseIP(address);
  return ip && formatIP(ip);
}
