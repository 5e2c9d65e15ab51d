import { familyOf, type IPFamily } from '../../../../api/semantics/services/ip-family.ts';
import type { Endpoint } from './endpoint.ts';
import type { ServicePortRules } from './service-port-rules.ts';

/** Tracked UDP connections that the kernel would keep sending the old way. Absent fields: any. */
export interface StaleConnections {
  readonly family: IPFamily;
  readonly protocol: 'udp';
  readonly originalDestination?: string;
  readonly originalPort: number;
  readonly translatedDestination?: string;
}

/**
 * The connections to delete after a change of a Service's rules. UDP has no end of a connection: a client that keeps sending from one port
 * keeps its conntrack entry, and with it an endpoint that is gone, or none if there was none when it began.
 */
export function planStaleConnections(before: readonly ServicePortRules[], after: readonly ServicePortRules[]): StaleConnections[] {
  const stale: StaleConnections[] = [];
  const portOf = ({ clusterIP, port, protocol }: ServicePortRules) => `${protocol}:${clusterIP}:${port}`;
  const now = new Map(after.map((port) => [portOf(port), port]));
  const was = new Map(before.map((port) => [portOf(port), port]));
  for (const [key, old] of was) {
    if (old.protocol !== 'udp') continue;
    const current = now.get(key);
    const kept = new Set(current === undefined ? [] : endpointsOf(current).map(({ ip }) => ip));
    const gone = new Set(endpointsOf(old).flatMap(({ ip }) => (kept.has(ip) ? [] : [ip])));
    for (const ip of gone) for (const front of frontsOf(old)) stale.push({ ...front, translatedDestination: ip });
  }
  for (const [key, current] of now) {
    if (current.protocol !== 'udp' || endpointsOf(current).length === 0) continue;
    const old = was.get(key);
    if (old !== undefined && endpointsOf(old).length === 0) stale.push(...frontsOf(current));
  }
  return stale;
}

function endpointsOf({ clusterEndpoints, localEndpoints }: ServicePortRules): Endpoint[] {
  return [...clusterEndpoints, ...localEndpoints];
}

function frontsOf({ clusterIP, port, externalIPs, loadBalancerIPs, nodePort }: ServicePortRules): StaleConnections[] {
  const addresses = new Set([clusterIP, ...externalIPs, ...loadBalancerIPs]);
  const udp = { family: familyOf(clusterIP) ?? 'IPv4', protocol: 'udp' } as const;
  return [
    ...[...addresses].map((originalDestination): StaleConnections => ({ ...udp, originalDestination, originalPort: port })),
    ...(nodePort === undefined ? [] : [{ ...udp, originalPort: nodePort }]),
  ];
}
