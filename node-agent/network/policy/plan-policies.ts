import { createHash } from 'node:crypto';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { cidrContains, formatIP, parseCIDR, parseIP } from '../../../api/base/ip-address.ts';
import { familyOf, type IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { Namespace, Pod } from '../../../api/types/core-v1.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../../api/types/networking-v1.ts';
import { nftFamilies } from '../../linux/nft/nft.ts';
import { createPolicyTable, type PolicyTable } from './policy-table.ts';

/** The source of policies: all objects of the cluster, and the name of the node. */
interface ClusterView {
  readonly policies: readonly DeepReadonly<NetworkPolicy>[];
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly namespaces: readonly DeepReadonly<Namespace>[];
  readonly nodeName: string;
  /** The port of the node's bridge behind which an address of a Pod of this node is. */
  readonly portOf?: (address: string) => string | undefined;
  /** Absent: the node serves no cluster DNS. */
  readonly dns?: ClusterDNSPlace;
}

/**
 * The addresses of cluster DNS for Pods of this node: it is no Pod, but policies may select it by its addresses and like upstream's Pods.
 */
export interface ClusterDNSPlace {
  /** Addresses of the Service, and of the node that answers. */
  readonly addresses: readonly string[];
  /** The port of the server on the node; the Service has 53. */
  readonly port: number;
}

type Direction = 'ingress' | 'egress';
type Rule = { readonly peers: readonly DeepReadonly<NetworkPolicyPeer>[]; readonly ports: readonly DeepReadonly<NetworkPolicyPort>[] };
type Addressed = { readonly pod: DeepReadonly<Pod>; readonly ip: string; readonly family: IPFamily };

/**
 * The packet filter that gives the Pods of one node what NetworkPolicies say (networking.k8s.io/v1): a Pod that no policy of
 * a direction selects is open in it; one that is selected gets what any of its policies allows. Replies always pass, and so
 * does what the node itself sends. Pods of the host's network are neither isolated nor known as peers: their address is the
 * node's. Each address of a Pod of two families has rules of its own family.
 */
export function planPolicies(view: ClusterView): PolicyTable {
  const planner = new Planner(view);
  for (const local of planner.addressed) {
    if (local.pod.spec?.nodeName !== view.nodeName) continue;
    planner.isolate('ingress', local);
    planner.isolate('egress', local);
    planner.denyDNS(local);
  }
  return planner.table;
}

class Planner {
  readonly table: PolicyTable = createPolicyTable();
  readonly addressed: readonly Addressed[];
  readonly #policies = new Map<string, DeepReadonly<NetworkPolicy>[]>();
  readonly #namespaces: ClusterView['namespaces'];
  /** Addresses of each peer, which are the same in every rule in which it is written so. */
  readonly #peers = new Map<string, readonly Addressed[]>();

  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    const { policies, pods, namespaces } = view;
    this.#view = view;
    this.#namespaces = namespaces;
    this.addressed = pods.flatMap(addressesOf);
    for (const policy of [...policies].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
      const namespace = policy.metadata.namespace ?? '';
      this.#policies.set(namespace, [...(this.#policies.get(namespace) ?? []), policy]);
    }
  }

  #selecting(direction: Direction, { pod: { metadata } }: Addressed): DeepReadonly<NetworkPolicy>[] {
    return (this.#policies.get(metadata.namespace ?? '') ?? []).filter(
      ({ spec }) => applies(spec, direction) && matchesLabelSelector(spec?.podSelector ?? {}, metadata.labels),
    );
  }

  /** Questions to cluster DNS are for the node, which no rule of a forwarded packet sees: they are denied as a whole. */
  denyDNS(local: Addressed): void {
    const { dns } = this.#view;
    const selecting = this.#selecting('egress', local);
    if (selecting.length === 0 || dns === undefined) return;
    for (const protocol of ['TCP', 'UDP'] as const) {
      const isAllowed = selecting.some((policy) =>
        rulesOf(policy, 'egress').some(
          ({ peers, ports }) =>
            (peers.length === 0 || peers.some((peer) => this.#meansDNS(policy.metadata.namespace ?? '', peer, dns))) &&
            (ports.length === 0 || ports.some((port) => meansPortOfDNS(port, protocol, dns))),
        ),
      );
      if (!isAllowed) this.table.deniedDNS.add(`${local.ip} . ${protocol.toLowerCase()}`);
    }
  }

  #meansDNS(
    namespace: string,
    { ipBlock, namespaceSelector, podSelector }: DeepReadonly<NetworkPolicyPeer>,
    dns: ClusterDNSPlace,
  ): boolean {
    if (ipBlock) return dns.addresses.some((address) => isInBlock(address, ipBlock));
    const labels = this.#namespaces.find(({ metadata }) => metadata.name === dnsPod.namespace)?.metadata.labels;
    const isItsNamespace =
      namespaceSelector === undefined
        ? namespace === dnsPod.namespace
        : matchesLabelSelector(namespaceSelector, labels ?? dnsPod.namespaceLabels);
    return isItsNamespace && matchesLabelSelector(podSelector ?? {}, dnsPod.labels);
  }

  isolate(direction: Direction, local: Addressed): void {
    const selecting = this.#selecting(direction, local);
    if (selecting.length === 0) return;
    const lines = new Set(
      selecting.flatMap((policy) =>
        rulesOf(policy, direction).flatMap((rule) => this.#lines(direction, policy.metadata.namespace ?? '', rule, local)),
      ),
    );
    // Pods to which the same rules apply share a chain, which is identified by its content.
    const text = [...lines, 'drop'].join('\n');
    const name = `${direction}-${digest(text)}`;
    this.table.chains.set(name, text);
    this.table[direction].set(local.ip, name);
    const port = direction === 'ingress' ? this.#view.portOf?.(local.ip) : undefined;
    if (port !== undefined) this.table.isolatedPorts.add(port);
  }

  /** A rule as lines of a chain, each with a verdict that accepts the packet. */
  #lines(direction: Direction, namespace: string, { peers, ports }: Rule, local: Addressed): string[] {
    const { ip: header, addressType } = nftFamilies[local.family];
    const address = `${header} ${direction === 'ingress' ? 'saddr' : 'daddr'}`;
    if (peers.length === 0) return this.#toPorts('', direction, ports, local, () => this.#inFamily(local.family));
    return peers.flatMap((peer) => {
      if (peer.ipBlock) {
        const { cidr, except = [] } = peer.ipBlock;
        if (familyOf(cidr) !== local.family) return [];
        return this.#toPorts(blockMatch(address, cidr, except), direction, ports, local, () => this.#inFamily(local.family));
      }
      const chosen = () => this.#peersOf(namespace, peer).filter(({ family }) => family === local.family);
      const set = this.#setOf(addressType, meaningOf(namespace, peer), () => chosen().map(({ ip }) => ip));
      return this.#toPorts(`${address} @${set} `, direction, ports, local, chosen);
    });
  }

  #toPorts(match: string, direction: Direction, ports: Rule['ports'], local: Addressed, peers: () => readonly Addressed[]): string[] {
    if (ports.length === 0) return [`${match}return`];
    return ports.flatMap(({ protocol = 'TCP', port, endPort }) => {
      const transport = protocol.toLowerCase();
      if (port === undefined) return [`${match}meta l4proto ${transport} return`];
      if (typeof port === 'number') return [`${match}${transport} dport ${endPort === undefined ? port : `${port}-${endPort}`} return`];
      // A port name is resolved by the receiving Pod: this node's Pod, or each of the peers.
      if (direction === 'ingress')
        return namedPorts(local.pod, port, protocol).map((number) => `${match}${transport} dport ${number} return`);
      const { ip: header, addressType } = nftFamilies[local.family];
      const set = this.#setOf(`${addressType} . inet_service`, JSON.stringify([match, protocol, port]), () =>
        peers().flatMap(({ pod, ip }) => namedPorts(pod, port, protocol).map((number) => `${ip} . ${number}`)),
      );
      return [`${match}${header} daddr . ${transport} dport @${set} return`];
    });
  }

  #inFamily(family: IPFamily): readonly Addressed[] {
    return this.addressed.filter((one) => one.family === family);
  }

  #peersOf(namespace: string, peer: DeepReadonly<NetworkPolicyPeer>): readonly Addressed[] {
    const { namespaceSelector, podSelector } = peer;
    const key = meaningOf(namespace, peer);
    let found = this.#peers.get(key);
    if (found === undefined) {
      const namespaces = new Set(
        namespaceSelector === undefined
          ? [namespace]
          : this.#namespaces
              .filter(({ metadata }) => matchesLabelSelector(namespaceSelector, metadata.labels))
              .map(({ metadata }) => metadata.name),
      );
      found = this.addressed.filter(
        ({ pod: { metadata } }) => namespaces.has(metadata.namespace ?? '') && matchesLabelSelector(podSelector ?? {}, metadata.labels),
      );
      this.#peers.set(key, found);
    }
    return found;
  }

  #setOf(type: string, meaning: string, elements: () => readonly string[]): string {
    const name = `peers-${digest(`${type} ${meaning}`)}`;
    if (!this.table.sets.has(name)) this.table.sets.set(name, { type, elements: new Set(elements()) });
    return name;
  }
}

/** An equal text for peers that select the same Pods, from whichever namespace. */
function meaningOf(namespace: string, { namespaceSelector, podSelector }: DeepReadonly<NetworkPolicyPeer>): string {
  return JSON.stringify([namespaceSelector === undefined ? namespace : '', namespaceSelector, podSelector]);
}

/** The Pod's addresses, unless it uses the host's network or has ended. */
function addressesOf(pod: DeepReadonly<Pod>): Addressed[] {
  const { spec, status } = pod;
  if (spec?.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  const ips = new Set([status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)]);
  return [...ips].flatMap((text) => {
    const parsed = text === undefined ? undefined : parseIP(text);
    return parsed === undefined ? [] : { pod, ip: formatIP(parsed), family: parsed.version === 4 ? 'IPv4' : 'IPv6' };
  });
}

function applies(spec: DeepReadonly<NetworkPolicy>['spec'], direction: Direction): boolean {
  const types = spec?.policyTypes ?? ['Ingress', ...((spec?.egress ?? []).length > 0 ? ['Egress'] : [])];
  return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
}

function rulesOf({ spec }: DeepReadonly<NetworkPolicy>, direction: Direction): Rule[] {
  if (direction === 'ingress') return (spec?.ingress ?? []).map(({ from = [], ports = [] }) => ({ peers: from, ports }));
  return (spec?.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }));
}

/** How policies that let Pods ask cluster DNS name it: as the Pods that other clusters have for it. */
const dnsPod = {
  namespace: 'kube-system',
  namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
  labels: { 'k8s-app': 'kube-dns' },
  portNames: { UDP: 'dns', TCP: 'dns-tcp' },
  port: 53,
} as const;

function meansPortOfDNS(
  { protocol = 'TCP', port, endPort }: DeepReadonly<NetworkPolicyPort>,
  wanted: 'TCP' | 'UDP',
  dns: ClusterDNSPlace,
): boolean {
  if (protocol !== wanted) return false;
  if (port === undefined) return true;
  if (typeof port === 'string') return port === dnsPod.portNames[wanted];
  return [dnsPod.port, dns.port].some((number) => number >= port && number <= (endPort ?? port));
}

function isInBlock(address: string, { cidr, except = [] }: DeepReadonly<IPBlock>): boolean {
  const ip = parseIP(address);
  const isIn = (text: string) => {
    const range = parseCIDR(text);
    return ip !== undefined && range !== undefined && cidrContains(range, ip);
  };
  return isIn(cidr) && !except.some(isIn);
}

function blockMatch(address: string, cidr: string, except: readonly string[]): string {
  return `${address} ${cidr} ${except.length === 0 ? '' : `${address} != { ${except.join(', ')} } `}`;
}

function namedPorts({ spec }: DeepReadonly<Pod>, name: string, protocol: string): number[] {
  const restartable = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...restartable, ...(spec?.containers ?? [])].flatMap((container) => container.ports ?? []);
  return ports.filter((port) => port.name === name && (port.protocol ?? 'TCP') === protocol).map(({ containerPort }) => containerPort);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
