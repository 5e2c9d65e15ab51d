import type { ServicePortRules } from './service-port-rules.ts';

/** An external address that a Service names and does not get, and why, as users read it. */
export interface RefusedAddress {
  readonly ip: string;
  readonly problem: string;
}

interface ExternalIPsPlan {
  readonly ports: readonly ServicePortRules[];
  readonly refused: readonly RefusedAddress[];
}

/** Why a port may not be reached at an external IP or at the address of a load balancer; undefined: it may. */
export type FindAddressProblem = (ip: string, kind: 'external' | 'loadBalancer', port: ServicePortRules) => string | undefined;

/**
 * The most elements of the table for the external IPs of one Service, which are one for every port and endpoint. Otherwise a single object
 * could delay the rules of all others.
 */
const maxElements = 20_000;

/** The ports of a Service without the external addresses that would take traffic from others, or are too many. */
export function planExternalIPs(ports: readonly ServicePortRules[], findProblem: FindAddressProblem): ExternalIPsPlan {
  const refused = new Map<string, string>();
  const elementsPerAddress = ports.reduce((sum, { clusterEndpoints }) => sum + 1 + clusterEndpoints.length, 0);
  const room = Math.max(1, Math.floor(maxElements / Math.max(1, elementsPerAddress)));
  const allowed = (addresses: readonly string[], kind: 'external' | 'loadBalancer', port: ServicePortRules) => {
    const found: string[] = [];
    // At most twice as many as are allowed are looked at: looking is work as well.
    for (const [index, ip] of addresses.entries()) {
      const isTooMany = found.length >= room || index >= 2 * room;
      const problem = isTooMany ? `more than ${room} of this Service are not served` : findProblem(ip, kind, port);
      if (problem === undefined) found.push(ip);
      else refused.set(ip, refused.get(ip) ?? problem);
      if (isTooMany && port !== ports[0]) break; // the first port has told of them all
    }
    return found;
  };
  const planned = ports.map((port) => {
    const externalIPs = allowed(port.externalIPs, 'external', port);
    const loadBalancerIPs = allowed(port.loadBalancerIPs, 'loadBalancer', port);
    const isSame = externalIPs.length === port.externalIPs.length && loadBalancerIPs.length === port.loadBalancerIPs.length;
    return isSame ? port : { ...port, externalIPs, loadBalancerIPs };
  });
  return { ports: planned, refused: [...refused].map(([ip, problem]) => ({ ip, problem })) };
}

/** The message for an Event: the first addresses with their problems, and the number of the others. */
export function describeRefused(refused: readonly RefusedAddress[]): string {
  const [first] = refused;
  if (first === undefined) return '';
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
  return `external IP ${first.ip} is not served on this node: ${first.problem}${more}`;
}
