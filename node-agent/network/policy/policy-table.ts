import { familyOf, type IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { nftFamilies } from '../../linux/nft/nft.ts';

/** The name of the table, beside kube-proxy's. */
const policyTableName = 'kubets-network-policies';
/** The same with its family. */
export const policyTable = `inet ${policyTableName}`;
const table = policyTable;
/** The same for frames between the ports of a bridge, which know of addresses only by chance. */
export const bridgePolicyTable = `bridge ${policyTableName}`;
const bridgeTable = bridgePolicyTable;

interface PeerSet {
  /** The type in nft's words. */
  readonly type: string;
  readonly elements: ReadonlySet<string>;
}

/**
 * The content of the packet filter: which addresses, of either family, go through which chain, chains of rules, and the sets
 * that rules look into.
 */
export interface PolicyTable {
  readonly ingress: Map<string, string>;
  readonly egress: Map<string, string>;
  /** The rules of each chain, one per line. A chain or set never changes its meaning under one name; the elements of a set may change. */
  readonly chains: Map<string, string>;
  readonly sets: Map<string, PeerSet>;
  /** Ports of the bridge behind which a Pod is isolated in ingress. */
  readonly isolatedPorts: Set<string>;
  /** `<address> . <tcp or udp>` of Pods whose egress does not reach cluster DNS, which the node itself serves. */
  readonly deniedDNS: Set<string>;
}

export function createPolicyTable(): PolicyTable {
  return {
    ...{ ingress: new Map(), egress: new Map(), chains: new Map(), sets: new Map() },
    ...{ isolatedPorts: new Set(), deniedDNS: new Set() },
  };
}

/** The messages by which neighbours find each other. Pods must not send router advertisements. */
export const neighbourDiscovery =
  'icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld2-listener-report }';

/** The parts of a table that are there once for each family. */
const families = (['IPv4', 'IPv6'] as const).map((family) => ({ family, ...nftFamilies[family] }));

/**
 * After Services' addresses have become endpoints and before the source is masked: packets that are routed or bridged from
 * and to Pods. What the node itself sends does not come through here. A packet that an egress chain lets go on is then
 * looked at for ingress, since both Pods may be of this node. What a Pod sends to itself through a Service always passes,
 * and so does that by which neighbours find each other: without it no allowed packet would find its way. What Pods send to
 * their node passes, but for questions to cluster DNS, which is a service of the cluster that happens to be there.
 *
 * Between ports of one bridge an isolated Pod gets only what is addressed to itself, which the rules above have decided on:
 * a broadcast or a multicast would come to it past all of them.
 */
function frame(dnsPort: number): string {
  return [
    `add table ${table} { comment "NetworkPolicies (kubets 3)"; }`,
    ...families.flatMap(({ ip, addressType }) => [
      `add map ${table} ${ip}-ingress-pods { type ${addressType} : verdict; }`,
      `add map ${table} ${ip}-egress-pods { type ${addressType} : verdict; }`,
      `add set ${table} ${ip}-own-traffic { type ${addressType} . ${addressType}; }`,
      `add set ${table} ${ip}-denied-dns { type ${addressType} . inet_proto; }`,
    ]),
    `add chain ${table} forward { type filter hook forward priority 10; policy accept; }`,
    `add rule ${table} forward ct state established,related accept`,
    `add rule ${table} forward ${neighbourDiscovery} accept`,
    ...families.flatMap(({ ip }) => [
      `add rule ${table} forward ${ip} saddr . ${ip} daddr @${ip}-own-traffic accept`,
      `add rule ${table} forward ${ip} saddr vmap @${ip}-egress-pods`,
      `add rule ${table} forward ${ip} daddr vmap @${ip}-ingress-pods`,
    ]),
    `add chain ${table} input { type filter hook input priority 10; policy accept; }`,
    ...families.map(
      ({ ip }) => `add rule ${table} input meta l4proto { tcp, udp } th dport ${dnsPort} ${ip} saddr . meta l4proto @${ip}-denied-dns drop`,
    ),
    `add table ${bridgeTable}`,
    `add set ${bridgeTable} isolated-ports { type ifname; }`,
    ...families.map(({ ip, addressType }) => `add set ${bridgeTable} ${ip}-addresses { type ${addressType}; }`),
    `add chain ${bridgeTable} forward { type filter hook forward priority 10; policy accept; }`,
    `add rule ${bridgeTable} forward oifname != @isolated-ports accept`,
    `add rule ${bridgeTable} forward ether type arp accept`,
    `add rule ${bridgeTable} forward ${neighbourDiscovery} accept`,
    ...families.map(({ ip }) => `add rule ${bridgeTable} forward ${ip} daddr @${ip}-addresses accept`),
    `add rule ${bridgeTable} forward drop`,
    '',
  ].join('\n');
}

/** Takes the table away, whether or not it is there, and that of an earlier version. */
export function renderPolicyTableRemoval(): string {
  return [table, bridgeTable, `ip ${policyTableName}`].map((name) => `add table ${name}\ndelete table ${name}\n`).join('');
}

/** Renders a transaction that makes the table anew, whatever its content was. */
export function renderPolicyTable(desired: PolicyTable, dnsPort: number): string {
  return `${renderPolicyTableRemoval()}${frame(dnsPort)}${renderPolicyChanges(createPolicyTable(), desired)}`;
}

/** Renders a transaction from one content to another; empty if they are equal. Unchanged parts are not touched. */
export function renderPolicyChanges(actual: PolicyTable, desired: PolicyTable): string {
  const lines: string[] = [];
  for (const [name, { type, elements }] of desired.sets) {
    const old = actual.sets.get(name);
    if (old === undefined) lines.push(`add set ${table} ${name} { type ${type}; }`);
    lines.push(...elementLines('delete', name, missingFrom(old?.elements ?? [], elements)));
    lines.push(...elementLines('add', name, missingFrom(elements, old?.elements ?? new Set())));
  }
  for (const [name, rules] of desired.chains) {
    if (actual.chains.has(name)) continue;
    lines.push(`add chain ${table} ${name}`, ...rules.split('\n').map((rule) => `add rule ${table} ${name} ${rule}`));
  }
  for (const { family, ip } of families) lines.push(...addressLines(ip, ofFamily(actual, family), ofFamily(desired, family)));
  for (const name of missingFrom(actual.chains.keys(), desired.chains))
    lines.push(`flush chain ${table} ${name}`, `delete chain ${table} ${name}`);
  for (const name of missingFrom(actual.sets.keys(), desired.sets)) lines.push(`delete set ${table} ${name}`);
  lines.push(...portLines(actual, desired), ...dnsLines(actual, desired));
  return lines.map((line) => `${line}\n`).join('');
}

function portLines(actual: PolicyTable, desired: PolicyTable): string[] {
  const quoted = (ports: readonly string[]) => ports.map((port) => `"${port}"`);
  const lines = [
    ...elementLines('delete', 'isolated-ports', quoted(missingFrom(actual.isolatedPorts, desired.isolatedPorts)), bridgeTable),
    ...elementLines('add', 'isolated-ports', quoted(missingFrom(desired.isolatedPorts, actual.isolatedPorts)), bridgeTable),
  ];
  for (const { family, ip } of families) {
    const [before, after] = [ofFamily(actual, family).ingress, ofFamily(desired, family).ingress];
    lines.push(
      ...elementLines('delete', `${ip}-addresses`, missingFrom(before.keys(), after), bridgeTable),
      ...elementLines('add', `${ip}-addresses`, missingFrom(after.keys(), before), bridgeTable),
    );
  }
  return lines;
}

function dnsLines({ deniedDNS: before }: PolicyTable, { deniedDNS: after }: PolicyTable): string[] {
  return families.flatMap(({ family, ip }) => {
    const of = (elements: readonly string[]) => elements.filter((element) => familyOf(element.split(' ')[0] ?? '') === family);
    return [
      ...elementLines('delete', `${ip}-denied-dns`, of(missingFrom(before, after))),
      ...elementLines('add', `${ip}-denied-dns`, of(missingFrom(after, before))),
    ];
  });
}

type Isolated = Pick<PolicyTable, 'ingress' | 'egress'>;

function ofFamily({ ingress, egress }: Isolated, family: IPFamily): Isolated {
  const pick = (map: Map<string, string>) => new Map([...map].filter(([address]) => familyOf(address) === family));
  return { ingress: pick(ingress), egress: pick(egress) };
}

function addressLines(ip: string, actual: Isolated, desired: Isolated): string[] {
  const changed = (from: Map<string, string>, to: Map<string, string>) => [...from].filter(([address, chain]) => to.get(address) !== chain);
  const lines: string[] = [];
  for (const direction of ['egress', 'ingress'] as const) {
    const gone = changed(actual[direction], desired[direction]).map(([address]) => address);
    const added = changed(desired[direction], actual[direction]).map(([address, chain]) => `${address} : jump ${chain}`);
    lines.push(...elementLines('delete', `${ip}-${direction}-pods`, gone), ...elementLines('add', `${ip}-${direction}-pods`, added));
  }
  const [before, after] = [isolated(actual), isolated(desired)];
  const pairs = (from: Set<string>, others: Set<string>) => missingFrom(from, others).map((address) => `${address} . ${address}`);
  const own = `${ip}-own-traffic`;
  return [...lines, ...elementLines('delete', own, pairs(before, after)), ...elementLines('add', own, pairs(after, before))];
}

function isolated({ ingress, egress }: Isolated): Set<string> {
  return new Set([...ingress.keys(), ...egress.keys()]);
}

function missingFrom(names: Iterable<string>, others: { has(name: string): boolean }): string[] {
  return [...names].filter((name) => !others.has(name));
}

function elementLines(verb: 'add' | 'delete', container: string, elements: readonly string[], of = table): string[] {
  return elements.length === 0 ? [] : [`${verb} element ${of} ${container} { ${elements.join(', ')} }`];
}
