import { createHash } from 'node:crypto';
import type { IPFamily } from '../../../../api/semantics/services/ip-family.ts';
import { type NFTFamily, nftFamilies } from '../../../linux/nft/nft.ts';
import { type Endpoint, endpointKey } from '../tracking/endpoint.ts';
import type { NoEndpointVerdict, ServicePortRules } from '../tracking/service-port-rules.ts';
import { affinityMap, type Container } from './base-table.ts';
import { chainKey, elementKey, type Entries, setKey } from './entry.ts';

/** The kernel's limit on comments of elements, in bytes. */
const maxCommentBytes = 128;

/**
 * The ruleset's entries for all ports of one Service.
 *
 * A port without traffic from outside that has to stay on the node gets no chain of its own: its map
 * elements lead to chains that all ports with n endpoints share, `endpoints-<n>` and its like, which pick a random number
 * below n and look the endpoint up in a map. Loading that is 10 to 20 times faster than chains for each Service and
 * endpoint, since elements cost the kernel much less than rules. With affinity, `affine-endpoints-<n>` first asks the map
 * of clients, and another chain writes there where new connections went. All other ports get chains like those of kube-proxy.
 */
export function renderServiceEntries(ports: readonly ServicePortRules[], clusterCIDRs: readonly string[], family: IPFamily): Entries {
  const entries: Entries = new Map();
  const words = nftFamilies[family];
  for (const port of ports) {
    entries.set(elementKey('cluster-ips', port.clusterIP), '');
    for (const { ip, mayHairpin } of [...port.clusterEndpoints, ...port.localEndpoints]) {
      if (mayHairpin) entries.set(elementKey('hairpin-connections', `${ip} . ${ip}`), '');
    }
    if (hasOwnChains(port)) addChains(entries, port, clusterCIDRs, words);
    else addSharedSpread(entries, port, words);
  }
  return entries;
}

function hasOwnChains(port: ServicePortRules): boolean {
  const isOpen = port.nodePort !== undefined || externalAddresses(port).length > 0;
  return isOpen && port.externalPolicy === 'Local';
}

/** The port's clients keep their endpoint, and share chains with other ports: they are remembered in the map of clients. */
export function hasRememberedClients(port: ServicePortRules): boolean {
  return port.affinitySeconds !== undefined && !hasOwnChains(port);
}

/** The keys under which the port is reached: `<address> . <protocol> . <port>`, for node ports `<protocol> . <port>`. */
export function frontsOf(port: ServicePortRules): string[] {
  const { protocol, nodePort } = port;
  const fronts = [port.clusterIP, ...externalAddresses(port)].map((ip) => `${ip} . ${protocol} . ${port.port}`);
  return nodePort === undefined ? fronts : [...fronts, `${protocol} . ${nodePort}`];
}

function externalAddresses({ externalIPs, loadBalancerIPs }: ServicePortRules): string[] {
  return [...new Set([...externalIPs, ...loadBalancerIPs])];
}

function addSharedSpread(entries: Entries, port: ServicePortRules, words: NFTFamily): void {
  const { protocol, internalPolicy, localEndpoints, clusterEndpoints, internalVerdict, externalVerdict, nodePort, affinitySeconds } = port;
  const shared = affinitySeconds === undefined ? 'endpoints-' : 'affine-endpoints-';
  const spread = (ip: string, endpoints: readonly Endpoint[], chain: string, verdict: NoEndpointVerdict | undefined) => {
    const destination = `${ip} . ${protocol} . ${port.port}`;
    if (verdict !== undefined) return addNoEndpoints(entries, 'no-endpoint-services', destination, port, verdict);
    addEndpoints(entries, 'service-endpoints', destination, endpoints);
    addVerdict(entries, 'service-ips', destination, port, `goto ${chain}${endpoints.length}`);
    if (affinitySeconds !== undefined)
      addVerdict(entries, 'affinity-services', destination, port, `goto ${learningChain(affinitySeconds)}`);
    entries.set(chainKey(`${shared}${endpoints.length}`), sharedSpreadRules(endpoints.length, affinitySeconds !== undefined, words));
  };
  if (affinitySeconds !== undefined) entries.set(chainKey(learningChain(affinitySeconds)), learningRule(affinitySeconds, words));
  spread(port.clusterIP, internalPolicy === 'Local' ? localEndpoints : clusterEndpoints, shared, internalVerdict);
  const count = clusterEndpoints.length;
  for (const ip of externalAddresses(port)) {
    spread(ip, clusterEndpoints, `external-${shared}`, externalVerdict);
    if (count > 0) entries.set(chainKey(`external-${shared}${count}`), `jump mark-for-masquerade\ngoto ${shared}${count}`);
  }
  if (nodePort !== undefined) addNodePort(entries, port, nodePort, words);
  addFirewall(entries, port, words);
}

function addNodePort(entries: Entries, port: ServicePortRules, nodePort: number, { ip }: NFTFamily): void {
  const { protocol, clusterEndpoints, externalVerdict, affinitySeconds } = port;
  const key = `${protocol} . ${nodePort}`;
  if (externalVerdict !== undefined) return addNoEndpoints(entries, 'no-endpoint-nodeports', key, port, externalVerdict);
  const count = clusterEndpoints.length;
  const nth = `meta l4proto . th dport . numgen random mod ${count}`;
  const chain = `nodeport-${affinitySeconds === undefined ? '' : 'affine-'}endpoints-${count}`;
  const rules = [
    'jump mark-for-masquerade',
    ...(affinitySeconds === undefined ? [] : [rememberedRule({ ip })]),
    `meta l4proto { tcp, udp, sctp } dnat ${ip} to ${nth} map @nodeport-endpoints`,
  ];
  entries.set(chainKey(chain), rules.join('\n'));
  addEndpoints(entries, 'nodeport-endpoints', key, clusterEndpoints);
  addVerdict(entries, 'service-nodeports', key, port, `goto ${chain}`);
  if (affinitySeconds !== undefined) addVerdict(entries, 'affinity-nodeports', key, port, `goto ${learningChain(affinitySeconds)}`);
}

function addEndpoints(entries: Entries, container: Container, key: string, endpoints: readonly Endpoint[]): void {
  for (const [index, { ip, port }] of endpoints.entries()) entries.set(elementKey(container, `${key} . ${index}`), `: ${ip} . ${port}`);
}

function sharedSpreadRules(count: number, isAffine: boolean, { ip }: NFTFamily): string {
  const nth = `${ip} daddr . meta l4proto . th dport . numgen random mod ${count}`;
  const random = `meta l4proto { tcp, udp, sctp } dnat ${ip} to ${nth} map @service-endpoints`;
  return isAffine ? `${rememberedRule({ ip })}\n${random}` : random;
}

/** Ends nothing for clients that are not known. */
function rememberedRule({ ip }: Pick<NFTFamily, 'ip'>): string {
  return `meta l4proto { tcp, udp, sctp } dnat ${ip} to ${ip} saddr . ${ip} daddr . meta l4proto . th dport map @${affinityMap}`;
}

function learningChain(seconds: number): string {
  return `learn-${seconds}s`;
}

/** A known client keeps its endpoint, and for as long again. */
function learningRule(seconds: number, { ip }: NFTFamily): string {
  const client = `ct original ${ip} saddr . ct original ${ip} daddr . meta l4proto . ct original proto-dst`;
  return `update @${affinityMap} { ${client} timeout ${seconds}s : ${ip} daddr . th dport }`;
}

function addChains(entries: Entries, port: ServicePortRules, clusterCIDRs: readonly string[], words: NFTFamily): void {
  const { clusterIP, protocol, clusterEndpoints, localEndpoints, internalPolicy, internalVerdict, externalVerdict, nodePort } = port;
  const names = { cluster: chainName('service', port), local: chainName('local', port) };
  if (clusterEndpoints.length > 0) addSpread(entries, port, names.cluster, clusterEndpoints, words);
  if (localEndpoints.length > 0) addSpread(entries, port, names.local, localEndpoints, words);
  const destination = `${clusterIP} . ${protocol} . ${port.port}`;
  if (internalVerdict !== undefined) addNoEndpoints(entries, 'no-endpoint-services', destination, port, internalVerdict);
  else addVerdict(entries, 'service-ips', destination, port, `goto ${internalPolicy === 'Local' ? names.local : names.cluster}`);

  const captured: [Container, Container, string][] = externalAddresses(port).map((ip) => [
    'service-ips',
    'no-endpoint-services',
    `${ip} . ${protocol} . ${port.port}`,
  ]);
  if (nodePort !== undefined) captured.push(['service-nodeports', 'no-endpoint-nodeports', `${protocol} . ${nodePort}`]);
  if (captured.length === 0) return;
  const external = chainName('external', port);
  const rules = externalRules(port, names, clusterCIDRs, words);
  if (rules.length > 0) entries.set(chainKey(external), rules.join('\n'));
  for (const [to, withoutEndpoints, key] of captured) {
    if (rules.length > 0) addVerdict(entries, to, key, port, `goto ${external}`);
    if (externalVerdict !== undefined) addNoEndpoints(entries, withoutEndpoints, key, port, externalVerdict);
  }
  addFirewall(entries, port, words);
}

/**
 * Traffic that arrives at a node port or an external address. Under policy Cluster it may leave for another node and must
 * come back this way, so its source becomes the node. Under policy Local the source is kept; Pods and the node itself
 * are served as by policy Cluster, wherever they ask.
 */
function externalRules(
  { externalPolicy, clusterEndpoints, localEndpoints }: ServicePortRules,
  names: { readonly cluster: string; readonly local: string },
  clusterCIDRs: readonly string[],
  { ip }: NFTFamily,
): string[] {
  if (externalPolicy === 'Cluster') return clusterEndpoints.length > 0 ? ['jump mark-for-masquerade', `goto ${names.cluster}`] : [];
  return [
    ...(clusterEndpoints.length > 0
      ? [
          ...(clusterCIDRs.length > 0 ? [`${ip} saddr { ${clusterCIDRs.join(', ')} } goto ${names.cluster}`] : []),
          'fib saddr type local jump mark-for-masquerade',
          `fib saddr type local goto ${names.cluster}`,
        ]
      : []),
    ...(localEndpoints.length > 0 ? [`goto ${names.local}`] : []),
  ];
}

function addFirewall(entries: Entries, port: ServicePortRules, { ip: header }: NFTFamily): void {
  const { loadBalancerSourceRanges: ranges, loadBalancerIPs, protocol } = port;
  if (ranges === undefined || loadBalancerIPs.length === 0) return;
  const name = chainName('firewall', port);
  // The balancer's own address is that of Pods of this node which reach themselves through it.
  const allowed = [...ranges, ...loadBalancerIPs].map((source) => `${header} saddr ${source} return`);
  entries.set(chainKey(name), [...allowed, 'drop'].join('\n'));
  for (const ip of loadBalancerIPs) addVerdict(entries, 'firewall-ips', `${ip} . ${protocol} . ${port.port}`, port, `goto ${name}`);
}

/** Adds a chain that sends to one of the endpoints: to the one that the client had within the affinity time, else to a random one. */
function addSpread(
  entries: Entries,
  port: ServicePortRules,
  name: string,
  endpoints: readonly Endpoint[],
  { ip: header, addressType }: NFTFamily,
): void {
  const { protocol, affinitySeconds } = port;
  const count = endpoints.length;
  if (affinitySeconds === undefined) {
    const choices = endpoints.map(({ ip, port: number }, index) => `${index} : ${ip} . ${number}`);
    entries.set(chainKey(name), `meta l4proto ${protocol} dnat ${header} to numgen random mod ${count} map { ${choices.join(', ')} }`);
    return;
  }
  const targets = endpoints.map((endpoint) => {
    // Names of chains have no colons.
    const suffix = `${endpoint.ip.replaceAll(':', '.')}/${endpoint.port}`;
    const chain = chainName('endpoint', port, suffix);
    // The time is a part of the name, since a set's timeout cannot be changed under rules that use it.
    const set = chainName('affinity', port, `${suffix}/${affinitySeconds}s`);
    entries.set(setKey(set), `type ${addressType}; flags dynamic,timeout; timeout ${affinitySeconds}s;`);
    entries.set(chainKey(chain), `update @${set} { ${header} saddr }\nmeta l4proto ${protocol} dnat to ${endpointKey(endpoint)}`);
    return { chain, set };
  });
  const choices = targets.map(({ chain }, index) => `${index} : goto ${chain}`);
  entries.set(
    chainKey(name),
    [
      ...targets.map(({ chain, set }) => `${header} saddr @${set} goto ${chain}`),
      `numgen random mod ${count} vmap { ${choices.join(', ')} }`,
    ].join('\n'),
  );
}

function addVerdict(entries: Entries, container: Container, key: string, port: ServicePortRules, verdict: string): void {
  entries.set(elementKey(container, key), `comment "${describe(port)}" : ${verdict}`);
}

function addNoEndpoints(entries: Entries, container: Container, key: string, port: ServicePortRules, verdict: NoEndpointVerdict): void {
  addVerdict(entries, container, key, port, verdict === 'drop' ? 'drop' : 'goto reject-chain');
}

function describe({ namespace, service, portName }: ServicePortRules): string {
  return `${namespace}/${service}${portName === '' ? '' : `:${portName}`}`.slice(0, maxCommentBytes - 1);
}

/** Names of the kernel's sets and chains have at most 255 bytes. */
const maxNameBytes = 240;

/**
 * Chain names as upstream's: a digest for uniqueness, and readable words. If the words are too long for the kernel they are cut and the
 * digest is longer, so that nobody can construct two Services with one name.
 */
function chainName(kind: string, { namespace, service, protocol, portName }: ServicePortRules, endpoint = ''): string {
  const words = `${namespace}/${service}/${protocol}/${portName}${endpoint === '' ? '' : `__${endpoint}`}`;
  const digest = createHash('sha256').update(words).digest('hex').toUpperCase();
  const name = `${kind}-${digest.slice(0, 8)}-${words}`;
  return name.length <= maxNameBytes ? name : `${kind}-${digest.slice(0, 40)}-${words}`.slice(0, maxNameBytes);
}
