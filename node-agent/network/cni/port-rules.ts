import { parseIP } from '../../../api/base/ip-address.ts';
import type { PodPort } from './pod-ports.ts';

/** The table of the frames that Pods may send on the node's bridge. */
export const portTable = 'bridge kubets-pod-ports';

/** Rules of each port, by its name. */
export type PortRules = ReadonlyMap<string, string>;

/**
 * Rules for the frames that may come out of each Pod's port: its own hardware address, IP packets and ARP with its own
 * addresses, and of neighbour discovery only messages about itself. Other Pods and the node can so rely on the address that they
 * see, as NetworkPolicies do. Advertisements of routers and redirects are dropped.
 */
export function planPortRules(ports: readonly PodPort[]): Map<string, string> {
  return new Map(ports.map((port) => [port.port, rulesOf(port)]));
}

function rulesOf({ hardwareAddress, addresses, linkLocal }: PodPort): string {
  const v4 = addresses.filter((address) => !address.includes(':'));
  const v6 = [...addresses.filter((address) => address.includes(':')), linkLocal];
  // The target of an advertisement, which has no name in nft everywhere.
  const otherTarget = v6.map((address) => `@th,64,128 != 0x${(parseIP(address)?.value ?? 0n).toString(16)}`).join(' ');
  return [
    `ether saddr != ${hardwareAddress} drop`,
    ...(v4.length === 0 ? [] : [`ip saddr { ${v4.join(', ')} } accept`]),
    `arp saddr ether != ${hardwareAddress} drop`,
    // A probe for an address that is to be used has none yet (RFC 5227).
    `arp saddr ip { ${['0.0.0.0', ...v4].join(', ')} } accept`,
    'icmpv6 type { nd-router-advert, nd-redirect } drop',
    `icmpv6 type nd-neighbor-advert ${otherTarget} drop`,
    `ip6 saddr { ${v6.join(', ')} } accept`,
    'ip6 saddr :: icmpv6 type { nd-router-solicit, nd-neighbor-solicit, mld-listener-report, mld2-listener-report } accept',
    'drop',
  ].join('\n');
}

/** Takes the table away, whether or not it is there. */
export function renderPortTableRemoval(): string {
  return `add table ${portTable}\ndelete table ${portTable}\n`;
}

/**
 * Renders a transaction that makes the table anew. Frames from unknown ports are not filtered: they are the node's, or come from a Pod
 * without processes.
 */
export function renderPortTable(desired: PortRules): string {
  return [
    `${renderPortTableRemoval()}add table ${portTable} { comment "what Pods may send (kubets 1)"; }`,
    `add map ${portTable} ports { type ifname : verdict; }`,
    `add chain ${portTable} prerouting { type filter hook prerouting priority -300; policy accept; }`,
    `add rule ${portTable} prerouting iifname vmap @ports`,
    renderPortChanges(new Map(), desired),
  ].join('\n');
}

/** Renders a transaction from some ports to others; empty if they are equal. */
export function renderPortChanges(actual: PortRules, desired: PortRules): string {
  const lines: string[] = [];
  for (const [port, rules] of actual) {
    if (desired.get(port) === rules) continue;
    const chain = `${portTable} from-${port}`;
    lines.push(`delete element ${portTable} ports { "${port}" }`, `flush chain ${chain}`, `delete chain ${chain}`);
  }
  for (const [port, rules] of desired) {
    if (actual.get(port) === rules) continue;
    const chain = `${portTable} from-${port}`;
    lines.push(`add chain ${chain}`, ...rules.split('\n').map((rule) => `add rule ${chain} ${rule}`));
    lines.push(`add element ${portTable} ports { "${port}" : jump from-${port} }`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
