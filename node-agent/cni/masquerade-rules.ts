/** nftables table that hides the pods of a bridge behind the node where they leave the cluster. */
export function masqueradeTable(bridge: string): string {
  return `kubets-pods-${bridge}`;
}

/**
 * Pods reach other pods with their own address; to everything outside the cluster they appear as the node. Replaces the
 * table at once, also the first time.
 */
export function masqueradeRules(bridge: string, podCIDR: string, clusterCIDR: string): string {
  const table = masqueradeTable(bridge);
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${podCIDR} ip daddr != { ${clusterCIDR}, 224.0.0.0/4 } masquerade fully-random
  }
}
`;
}
