import { ipFamilies, type IPFamily } from '../../../../api/semantics/services/ip-family.ts';
import { type NFTFamily, nftFamilies } from '../../../linux/nft/nft.ts';

/** The name of kube-proxy's table, one in each family, so that tools find it. */
export const tableName = 'kube-proxy';

export function tableOf(family: IPFamily): string {
  return `${nftFamilies[family].ip} ${tableName}`;
}

/** The map of the endpoint that a client got last at an address and port. Packets fill it, not the agent. */
export const affinityMap = 'affinity';

/** The most clients that are remembered; further ones are served without affinity. */
const maxClients = 262_144;

/** The table's comment names the layout of its maps; a table with another layout is replaced, not adopted. */
export const layoutComment = 'rules for kube-proxy (kubets 1)';

/**
 * Sets and maps whose elements follow Services and the node, with their types. The data of the endpoints is declared by an
 * expression for a port that is of no protocol: with `th dport` nft sees a conflict where the rule names protocols.
 */
function declarations({ ip, addressType: address }: NFTFamily) {
  return {
    'cluster-ips': `set { type ${address}; comment "Active ClusterIPs"; }`,
    'nodeport-ips': `set { type ${address}; comment "IPs that accept NodePort traffic"; }`,
    'hairpin-connections': `set { type ${address} . ${address}; comment "endpoints that may connect to themselves"; }`,
    'service-ips': `map { type ${address} . inet_proto . inet_service : verdict; comment "ClusterIP, ExternalIP and LoadBalancer IP traffic"; }`,
    'service-nodeports': 'map { type inet_proto . inet_service : verdict; comment "NodePort traffic"; }',
    'service-endpoints': `map { typeof ${ip} daddr . meta l4proto . th dport . numgen random mod 1 : ${ip} daddr . ct original proto-dst; comment "the n-th endpoint of a ClusterIP and port"; }`,
    'nodeport-endpoints': `map { typeof meta l4proto . th dport . numgen random mod 1 : ${ip} daddr . ct original proto-dst; comment "the n-th endpoint of a node port"; }`,
    'no-endpoint-services': `map { type ${address} . inet_proto . inet_service : verdict; comment "vmap to drop or reject packets to services with no endpoints"; }`,
    'no-endpoint-nodeports':
      'map { type inet_proto . inet_service : verdict; comment "vmap to drop or reject packets to service nodeports with no endpoints"; }',
    'affinity-services': `map { type ${address} . inet_proto . inet_service : verdict; comment "fronts whose clients keep their endpoint"; }`,
    'affinity-nodeports': 'map { type inet_proto . inet_service : verdict; comment "node ports whose clients keep their endpoint"; }',
    [affinityMap]: `map { typeof ${ip} saddr . ${ip} daddr . meta l4proto . th dport : ${ip} daddr . ct original proto-dst; flags dynamic,timeout; size ${maxClients}; comment "clients and the endpoint that they keep"; }`,
    'firewall-ips': `map { type ${address} . inet_proto . inet_service : verdict; comment "destinations that are subject to LoadBalancerSourceRanges"; }`,
  } as const;
}

export type Container = keyof ReturnType<typeof declarations>;

/** Sets and maps of the table's frame. */
export const containers: ReadonlySet<string> = new Set(Object.keys(declarations(nftFamilies.IPv4)));

/** Bit 14 of the packet's mark, as upstream: the packet's source is to become the node. */
const masqueradeMark = '0x4000';

const learning = 'ct state new ct status dnat jump affinity-learning';

interface BaseChain {
  readonly hook?: string;
  readonly rules: readonly string[];
}

function baseChains(clusterCIDRs: readonly string[], { ip }: NFTFamily): Readonly<Record<string, BaseChain>> {
  const destination = `${ip} daddr . meta l4proto . th dport`;
  const nodePort = `${ip} daddr @nodeport-ips meta l4proto . th dport`;
  // Without ranges of Pods no source is known to be a Pod, and all traffic is masqueraded.
  const fromElsewhere = clusterCIDRs.length === 0 ? '' : `${ip} saddr != { ${clusterCIDRs.join(', ')} } `;
  return {
    'mark-for-masquerade': { rules: [`meta mark set meta mark or ${masqueradeMark}`] },
    // A reset is heard at once and always; ICMP is limited, and not heard by a socket that is just sending.
    'reject-chain': { rules: ['meta l4proto tcp reject with tcp reset', 'reject'] },
    masquerading: {
      rules: [
        `ct status dnat ${ip} saddr . ${ip} daddr @hairpin-connections masquerade fully-random`,
        `meta mark & ${masqueradeMark} == 0 return`,
        `meta mark set meta mark xor ${masqueradeMark}`,
        'masquerade fully-random',
      ],
    },
    services: {
      rules: [
        `${ip} daddr @cluster-ips ${fromElsewhere}jump mark-for-masquerade`,
        `${destination} vmap @service-ips`,
        `${nodePort} vmap @service-nodeports`,
      ],
    },
    // After the translation, so that the endpoint of the connection is remembered.
    'affinity-learning': {
      rules: [
        `ct original ${ip} daddr . meta l4proto . ct original proto-dst vmap @affinity-services`,
        `ct original ${ip} daddr @nodeport-ips meta l4proto . ct original proto-dst vmap @affinity-nodeports`,
      ],
    },
    'service-endpoints-check': { rules: [`${destination} vmap @no-endpoint-services`] },
    'nodeport-endpoints-check': { rules: [`${nodePort} vmap @no-endpoint-nodeports`] },
    'firewall-check': { rules: [`${destination} vmap @firewall-ips`] },
    'cluster-ips-check': { rules: [`${ip} daddr @cluster-ips goto reject-chain comment "Reject traffic to invalid ports of ClusterIPs"`] },
    'nat-prerouting': { hook: 'type nat hook prerouting priority dstnat', rules: ['jump services'] },
    'nat-output': { hook: 'type nat hook output priority -100', rules: ['jump services'] },
    'nat-postrouting': { hook: 'type nat hook postrouting priority srcnat', rules: ['jump masquerading'] },
    'filter-prerouting-pre-dnat': { hook: 'type filter hook prerouting priority -110', rules: ['ct state new jump firewall-check'] },
    'filter-output-pre-dnat': { hook: 'type filter hook output priority -110', rules: ['ct state new jump firewall-check'] },
    'filter-input': {
      hook: 'type filter hook input priority 0',
      rules: ['ct state new jump nodeport-endpoints-check', 'ct state new jump service-endpoints-check', learning],
    },
    'filter-forward': {
      hook: 'type filter hook forward priority 0',
      rules: [
        // Not translated back, since conntrack does not know it: a client would answer with a reset.
        'ct state invalid drop',
        'ct state new jump service-endpoints-check',
        'ct state new jump cluster-ips-check',
        learning,
      ],
    },
    'filter-output': {
      hook: 'type filter hook output priority 0',
      rules: ['ct state new jump service-endpoints-check', 'ct state new jump cluster-ips-check', learning],
    },
  };
}

/** Chains that belong to the table's frame, not to a Service. */
export const frameChains: ReadonlySet<string> = new Set(Object.keys(baseChains([], nftFamilies.IPv4)));

/**
 * The table without any Service: declares what is missing, leaves elements alone, and writes the rules of the frame anew.
 * Harmless to a table that is in use, since it is one transaction. Fails if what is there has other types.
 */
export function renderBaseTable(clusterCIDRs: readonly string[], family: IPFamily): string {
  const table = tableOf(family);
  const chains = Object.entries(baseChains(clusterCIDRs, nftFamilies[family]));
  return [
    `add table ${table} { comment "${layoutComment}"; }`,
    ...Object.entries(declarations(nftFamilies[family])).map(([name, declaration]) =>
      declaration.replace(/^(set|map) /, `add $1 ${table} ${name} `),
    ),
    ...chains.map(([name, { hook }]) => `add chain ${table} ${name}${hook === undefined ? '' : ` { ${hook}; policy accept; }`}`),
    ...chains.flatMap(([name, { rules }]) => [`flush chain ${table} ${name}`, ...rules.map((rule) => `add rule ${table} ${name} ${rule}`)]),
    '',
  ].join('\n');
}

/** Takes the table away, whether or not it is there. */
export function renderTableRemoval(family: IPFamily): string {
  const table = tableOf(family);
  return `add table ${table}\ndelete table ${table}\n`;
}

/** Removals of the tables of both families. */
export function renderTableRemovals(): string {
  return ipFamilies.map(renderTableRemoval).join('');
}
