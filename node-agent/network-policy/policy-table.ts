import { familyOf, type IPFamily } from '../../api/semantics/ip-family.ts';
import { nftFamilies } from '../linux/nft.ts';

/** The name of the table, beside kube-proxy's. */
export const policyTableName = 'kubets-network-policies';
/** The same with its family. */
export const policyTable = `inet ${policyTableName}`;
const table = policyTable;

export interface PeerSet {
  /** As nft names types. */
  readonly type: string;
  readonly elements: ReadonlySet<string>;
}

/** What the packet filter holds: which addresses, of either family, go through which chain, chains of rules, and the sets that rules look into. */
export interface PolicyTable {
  readonly ingress: Map<string, string>;
  readonly egress: Map<string, string>;
  /** Rules, one a line. A chain and a set never change their meaning under one name; the elements of a set do. */
  readonly chains: Map<string, string>;
  readonly sets: Map<string, PeerSet>;
}

export const emptyPolicyTable: PolicyTable = { ingress: new Map(), egress: new Map(), chains: new Map(), sets: new Map() };

/** What of a table is there once for each family. */
const families = (['IPv4', 'IPv6'] as const).map((family) => ({ family, ...nftFamilies[family] }));

/**
 * After Services' addresses have become endpoints and before the source is masked: packets that are routed or bridged from
 * and to Pods. What the node itself sends does not come through here. A packet that an egress chain lets go on is then
 * looked at for ingress, since both Pods may be of this node. What a Pod sends to itself through a Service always passes,
 * and so does that by which neighbours find each other: without it no allowed packet would find its way.
 */
const frame = [
  `add table ${table} { comment "NetworkPolicies (kubets 2)"; }`,
  ...families.flatMap(({ ip, addressType }) => [
    `add map ${table} ${ip}-ingress-pods { type ${addressType} : verdict; }`,
    `add map ${table} ${ip}-egress-pods { type ${addressType} : verdict; }`,
    `add set ${table} ${ip}-own-traffic { type ${addressType} . ${addressType}; }`,
  ]),
  `add chain ${table} forward { type filter hook forward priority 10; policy accept; }`,
  `add rule ${table} forward ct state established,related accept`,
  `add rule ${table} forward icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld2-listener-report } accept`,
  ...families.flatMap(({ ip }) => [
    `add rule ${table} forward ${ip} saddr . ${ip} daddr @${ip}-own-traffic accept`,
    `add rule ${table} forward ${ip} saddr vmap @${ip}-egress-pods`,
    `add rule ${table} forward ${ip} daddr vmap @${ip}-ingress-pods`,
  ]),
  '',
].join('\n');

/** Takes the table away, whether or not it is there, and that of an earlier version. */
export function renderPolicyTableRemoval(): string {
  return [table, `ip ${policyTableName}`].map((name) => `add table ${name}\ndelete table ${name}\n`).join('');
}

/** One transaction that makes the table anew, whatever there was. */
export function renderPolicyTable(desired: PolicyTable): string {
  return `${renderPolicyTableRemoval()}${frame}${renderPolicyChanges(emptyPolicyTable, desired)}`;
}

/** One transaction from one content to another; nothing if they are the same. What has not changed is not touched. */
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
  return lines.map((line) => `${line}\n`).join('');
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

function elementLines(verb: 'add' | 'delete', container: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${verb} element ${table} ${container} { ${elements.join(', ')} }`];
}
