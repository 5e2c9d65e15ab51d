import { type IPFamily, ipFamilies, ofFamily } from '../../../api/semantics/services/ip-family.ts';
import { nftFamilies } from '../../linux/nft/nft.ts';

/** Multicast is never masqueraded. */
const multicast: Readonly<Record<IPFamily, string>> = { IPv4: '224.0.0.0/4', IPv6: 'ff00::/8' };

/** nftables table, in each family, that hides the pods of a bridge behind the node where they leave the cluster. */
function tableOf(bridge: string, family: IPFamily): string {
  return `${nftFamilies[family].ip} kubets-pods-${bridge}`;
}

/**
 * Rules that let Pods reach other Pods, and the ranges of `exceptions`, with their own address, and all other addresses with the node's.
 * They replace the tables in one transaction, also the first time.
 */
export function masqueradeRules(bridge: string, podCIDRs: readonly string[], exceptions: readonly string[]): string {
  return ipFamilies.map((family) => removal(bridge, family) + familyRules(bridge, family, podCIDRs, exceptions)).join('');
}

/** The tables, as `family name`, that rules for Pods of these ranges are in. */
export function masqueradeTables(bridge: string, podCIDRs: readonly string[]): string[] {
  return ipFamilies.flatMap((family) => (ofFamily(podCIDRs, family).length === 0 ? [] : tableOf(bridge, family)));
}

/** Takes them away, whether or not they are there. */
export function masqueradeRemoval(bridge: string): string {
  return ipFamilies.map((family) => removal(bridge, family)).join('');
}

function removal(bridge: string, family: IPFamily): string {
  const table = tableOf(bridge, family);
  return `table ${table}\ndelete table ${table}\n`;
}

function familyRules(bridge: string, family: IPFamily, podCIDRs: readonly string[], exceptions: readonly string[]): string {
  const { ip, addressType } = nftFamilies[family];
  const sources = ofFamily(podCIDRs, family);
  if (sources.length === 0) return '';
  const kept = [...ofFamily(exceptions, family), multicast[family]];
  return `table ${tableOf(bridge, family)} {
  set kept {
    type ${addressType}; flags interval; auto-merge;
    elements = { ${kept.join(', ')} }
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${ip} saddr { ${sources.join(', ')} } ${ip} daddr != @kept masquerade fully-random
  }
}
`;
}
