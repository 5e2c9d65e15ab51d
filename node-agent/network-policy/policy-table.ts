/** The name of the table, beside kube-proxy's. */
export const policyTableName = 'kubets-network-policies';
const table = `ip ${policyTableName}`;

export interface PeerSet {
  /** As nft names types. */
  readonly type: string;
  readonly elements: ReadonlySet<string>;
}

/** What the packet filter holds: which addresses go through which chain, chains of rules, and the sets that rules look into. */
export interface PolicyTable {
  readonly ingress: Map<string, string>;
  readonly egress: Map<string, string>;
  /** Rules, one a line. A chain and a set never change their meaning under one name; the elements of a set do. */
  readonly chains: Map<string, string>;
  readonly sets: Map<string, PeerSet>;
}

export const emptyPolicyTable: PolicyTable = { ingress: new Map(), egress: new Map(), chains: new Map(), sets: new Map() };

/**
 * After Services' addresses have become endpoints and before the source is masked: packets that are routed or bridged from
 * and to Pods. What the node itself sends does not come through here. A packet that an egress chain lets go on is then
 * looked at for ingress, since both Pods may be of this node. What a Pod sends to itself through a Service always passes.
 */
const frame = `add table ${table} { comment "NetworkPolicies (kubets 1)"; }
add map ${table} ingress-pods { type ipv4_addr : verdict; }
add map ${table} egress-pods { type ipv4_addr : verdict; }
add set ${table} own-traffic { type ipv4_addr . ipv4_addr; }
add chain ${table} forward { type filter hook forward priority 10; policy accept; }
add rule ${table} forward ct state established,related accept
add rule ${table} forward ip saddr . ip daddr @own-traffic accept
add rule ${table} forward ip saddr vmap @egress-pods
add rule ${table} forward ip daddr vmap @ingress-pods
`;

/** Takes the table away, whether or not it is there. */
export function renderPolicyTableRemoval(): string {
  return `add table ${table}\ndelete table ${table}\n`;
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
  for (const map of ['egress', 'ingress'] as const) {
    const changed = (from: Map<string, string>, to: Map<string, string>) => [...from].filter(([ip, chain]) => to.get(ip) !== chain);
    lines.push(
      ...elementLines(
        'delete',
        `${map}-pods`,
        changed(actual[map], desired[map]).map(([ip]) => ip),
      ),
    );
    lines.push(
      ...elementLines(
        'add',
        `${map}-pods`,
        changed(desired[map], actual[map]).map(([ip, chain]) => `${ip} : jump ${chain}`),
      ),
    );
  }
  const [before, after] = [isolated(actual), isolated(desired)];
  lines.push(
    ...elementLines(
      'delete',
      'own-traffic',
      missingFrom(before, after).map((ip) => `${ip} . ${ip}`),
    ),
  );
  lines.push(
    ...elementLines(
      'add',
      'own-traffic',
      missingFrom(after, before).map((ip) => `${ip} . ${ip}`),
    ),
  );
  for (const name of missingFrom(actual.chains.keys(), desired.chains))
    lines.push(`flush chain ${table} ${name}`, `delete chain ${table} ${name}`);
  for (const name of missingFrom(actual.sets.keys(), desired.sets)) lines.push(`delete set ${table} ${name}`);
  return lines.map((line) => `${line}\n`).join('');
}

function isolated({ ingress, egress }: PolicyTable): Set<string> {
  return new Set([...ingress.keys(), ...egress.keys()]);
}

function missingFrom(names: Iterable<string>, others: { has(name: string): boolean }): string[] {
  return [...names].filter((name) => !others.has(name));
}

function elementLines(verb: 'add' | 'delete', container: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${verb} element ${table} ${container} { ${elements.join(', ')} }`];
}
