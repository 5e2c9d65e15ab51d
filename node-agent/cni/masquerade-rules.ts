/** nftables table that hides pods behind the node where they leave the cluster. */
export const masqueradeTable = 'kubets-pods';

/**
 * Pods reach other pods with their own address; to everything outside the cluster they appear as the node. Replaces the
 * table at once, also the first time.
 */
export function masqueradeRules(podCIDR: string, clusterCIDR: string): string {
  return `table ip ${masqueradeTable}
delete table ip ${masqueradeTable}
table ip ${masqueradeTable} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${podCIDR} ip daddr != { ${clusterCIDR}, 224.0.0.0/4 } masquerade fully-random
  }
}
`;
}
