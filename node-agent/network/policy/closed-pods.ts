import { nftFamilies } from '../../linux/nft/nft.ts';
import { familyOf, type IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { neighbourDiscovery } from './policy-table.ts';

const tableName = 'kubets-closed-pods';

/** A Pod for which no policy can be looked up yet, by its addresses and its port at the node's bridge. */
export interface ClosedPod {
  readonly addresses: readonly string[];
  /** Absent: it has none. */
  readonly port?: string;
}

/**
 * Renders a transaction of nft after which the Pods can communicate with their own node only. Tables of other Pods stay: those of a former
 * agent are valid for them until this one has its own.
 */
export function renderClosedPods(closed: Iterable<ClosedPod>, dnsPort: number): string {
  const pods = [...closed];
  const lines = [`inet ${tableName}`, `bridge ${tableName}`].flatMap((table) => [`add table ${table}`, `delete table ${table}`]);
  if (pods.length === 0) return text(lines);
  const table = `inet ${tableName}`;
  lines.push(
    `add table ${table} { comment "Pods whose NetworkPolicies are not known yet"; }`,
    `add chain ${table} forward { type filter hook forward priority 9; policy accept; }`,
    `add rule ${table} forward ${neighbourDiscovery} accept`,
    `add chain ${table} input { type filter hook input priority 9; policy accept; }`,
  );
  for (const family of ['IPv4', 'IPv6'] as const) {
    const addresses = addressesOf(pods, family);
    const { ip, addressType } = nftFamilies[family];
    lines.push(`add set ${table} ${ip}-pods { type ${addressType}; }`);
    if (addresses.length > 0) lines.push(`add element ${table} ${ip}-pods { ${addresses.join(', ')} }`);
    for (const direction of ['saddr', 'daddr']) lines.push(`add rule ${table} forward ${ip} ${direction} @${ip}-pods drop`);
    lines.push(`add rule ${table} input meta l4proto { tcp, udp } th dport ${dnsPort} ${ip} saddr @${ip}-pods drop`);
  }
  return text([...lines, ...bridgeLines(pods)]);
}

/** Frames between the ports of the bridge, broadcasts and multicasts among them, which have no address of a Pod. */
function bridgeLines(pods: readonly ClosedPod[]): string[] {
  const ports = pods.flatMap(({ port }) => (port === undefined ? [] : [`"${port}"`]));
  if (ports.length === 0) return [];
  const table = `bridge ${tableName}`;
  return [
    `add table ${table}`,
    `add set ${table} ports { type ifname; elements = { ${[...new Set(ports)].join(', ')} }; }`,
    `add chain ${table} forward { type filter hook forward priority 9; policy accept; }`,
    `add rule ${table} forward ether type arp accept`,
    `add rule ${table} forward ${neighbourDiscovery} accept`,
    ...['iifname', 'oifname'].map((name) => `add rule ${table} forward ${name} @ports drop`),
  ];
}

function addressesOf(pods: readonly ClosedPod[], family: IPFamily): string[] {
  return [...new Set(pods.flatMap(({ addresses }) => addresses.filter((address) => familyOf(address) === family)))];
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
