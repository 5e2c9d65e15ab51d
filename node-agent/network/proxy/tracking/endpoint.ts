import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { formatIP, parseIP } from '../../../../api/base/ip-address.ts';
import type { IPFamily } from '../../../../api/semantics/services/ip-family.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';

/** An address and port behind a Service port. */
export interface Endpoint {
  /** In canonical form. */
  readonly ip: string;
  readonly port: number;
  /** Takes new connections. */
  readonly ready: boolean;
  /** Answers, whether or not it is about to go. */
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Lives on this node. */
  readonly local: boolean;
  /** Whether it may be the Pod that connects: it runs on this node, or its node is unknown. */
  readonly mayHairpin: boolean;
  /** The nodes and zones whose traffic the endpoint should get; absent: there are no hints. */
  readonly forNodes?: readonly string[];
  readonly forZones?: readonly string[];
}

/** Whom the rules are for. */
export interface NodeIdentity {
  readonly nodeName: string;
  /** The label topology.kubernetes.io/zone of the node, if it has one. */
  readonly zone?: string;
}

/** `10.244.0.2:80` or `[fd00::2]:80`. */
export function endpointKey({ ip, port }: Pick<Endpoint, 'ip' | 'port'>): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/**
 * The endpoints of one Service port from all slices of the Service that are of the family, in order of address. Named target ports are resolved
 * in the slices, where one port name may stand for other numbers in each slice. An endpoint that stands in two slices (as
 * while it moves between them) counts once, by its better condition.
 */
export function collectEndpoints(
  slices: readonly DeepReadonly<EndpointSlice>[],
  port: { readonly name: string; readonly protocol: string },
  node: NodeIdentity,
  family: IPFamily,
): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? '') !== port.name || (slicePort.protocol ?? 'TCP') !== port.protocol || !slicePort.port) continue;
      for (const { addresses, conditions, nodeName, hints } of slice.endpoints ?? []) {
        const ip = canonicalIP(addresses[0]);
        if (ip === undefined) continue;
        const ready = conditions?.ready ?? true;
        const endpoint: Endpoint = {
          ip,
          port: slicePort.port,
          ready,
          serving: conditions?.serving ?? ready,
          terminating: conditions?.terminating ?? false,
          local: nodeName === node.nodeName,
          mayHairpin: nodeName === undefined || nodeName === node.nodeName,
          ...(hints?.forNodes?.length ? { forNodes: hints.forNodes.map(({ name }) => name) } : {}),
          ...(hints?.forZones?.length ? { forZones: hints.forZones.map(({ name }) => name) } : {}),
        };
        const key = endpointKey(endpoint);
        const other = found.get(key);
        if (other === undefined || rank(endpoint) > rank(other)) found.set(key, endpoint);
      }
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

/** An address as nft prints it, so that both can be compared. Old objects may have zeros before the octets' digits. */
export function canonicalIP(text = ''): string | undefined {
  const ip = parseIP(text, { leadingZeros: true });
  return ip && formatIP(ip);
}

function rank({ ready, serving }: Endpoint): number {
  return ready ? 2 : serving ? 1 : 0;
}

/**
 * The endpoints that get traffic: the ready ones, or, if there are none, the terminating ones that still serve (KEP-1669). Endpoints of a
 * Service with publishNotReadyAddresses are marked ready in the slices.
 */
export function usableEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter(({ serving, terminating }) => serving && terminating);
}

/**
 * The ready endpoints with hints for this node, or else for its zone (KEP-2433, KEP-3015). Hints count only if every ready endpoint has
 * them and one of them is for this node or zone; otherwise all endpoints are used.
 */
export function nearEndpoints(endpoints: readonly Endpoint[], { nodeName, zone }: NodeIdentity): readonly Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (ready.length === 0) return endpoints;
  if (ready.every(({ forNodes }) => forNodes !== undefined)) {
    const ours = ready.filter(({ forNodes }) => forNodes?.includes(nodeName));
    if (ours.length > 0) return ours;
  }
  if (zone !== undefined && ready.every(({ forZones }) => forZones !== undefined)) {
    const ours = ready.filter(({ forZones }) => forZones?.includes(zone));
    if (ours.length > 0) return ours;
  }
  return endpoints;
}
