import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import type { PodNetworkMode } from '../../api/semantics/node-configuration.ts';
import type { Node } from '../../api/types/core-v1.ts';

/** How Pods of other nodes are reached: by a route through the node, or in VXLAN packets where there is a router in between. */
export type RouteMode = Exclude<PodNetworkMode, 'external'>;

/** Another node, as far as the way to its Pods goes. */
export interface Peer {
  readonly name: string;
  readonly address: string;
  readonly podCIDR: string;
}

/** A route as `ip route` takes it. */
export interface PodRoute {
  readonly podCIDR: string;
  readonly via: string;
}

/** Marks our routes among those of others. Not in /etc/iproute2/rt_protos. */
export const routeProtocol = '107';
export const vxlanDevice = 'kubets.vxlan';
/** As flannel has it: firewalls know it. */
export const vxlanPort = 8472;
export const vxlanID = 1;
/** Outer Ethernet, IPv4, UDP and VXLAN headers. */
export const vxlanOverheadBytes = 50;

/** The nodes that have an address and a range, but for the own. IPv4. */
export function peersOf(nodes: readonly DeepReadonly<Node>[], ownName: string | undefined): Peer[] {
  return nodes.flatMap(({ metadata, spec, status }) => {
    const { name = '' } = metadata;
    const address = status?.addresses?.find((one) => one.type === 'InternalIP' && !one.address.includes(':'))?.address;
    const podCIDR = (spec?.podCIDRs ?? []).find((range) => !range.includes(':'));
    return name === ownName || address === undefined || podCIDR === undefined ? [] : [{ name, address, podCIDR }];
  });
}

/** Network address of a range: that of the tunnel's end on the node that has the range. */
export function tunnelAddress(podCIDR: string): string {
  return podCIDR.slice(0, podCIDR.indexOf('/'));
}

/** Hardware address of that end, made of its address so that nobody needs to tell it: locally administered. */
export function tunnelHardwareAddress(podCIDR: string): string {
  const bytes = tunnelAddress(podCIDR).split('.').map(Number);
  return ['0a', '6b', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

export function wantedRoutes(peers: readonly Peer[], mode: RouteMode): PodRoute[] {
  return peers.map(({ podCIDR, address }) => ({ podCIDR, via: mode === 'vxlan' ? tunnelAddress(podCIDR) : address }));
}

/** Input of `ip -batch` and of `bridge -batch`. */
export interface RouteCommands {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

/** From the routes that are there to those that should be. */
export function planRoutes(present: readonly PodRoute[], peers: readonly Peer[], mode: RouteMode): RouteCommands {
  const id = ({ podCIDR, via }: PodRoute) => `${podCIDR} via ${via}`;
  const wanted = wantedRoutes(peers, mode);
  const has = new Set(present.map(id));
  const wants = new Set(wanted.map(id));
  const kept = new Set(wanted.map(({ podCIDR }) => podCIDR));
  const device = mode === 'vxlan' ? ` dev ${vxlanDevice} onlink` : '';
  const gone = present.filter((route) => !wants.has(id(route)) && !kept.has(route.podCIDR));
  const ip = [
    ...gone.map((route) => `route del ${id(route)} proto ${routeProtocol}`),
    ...wanted.filter((route) => !has.has(id(route))).map((route) => `route replace ${id(route)}${device} proto ${routeProtocol}`),
  ];
  if (mode === 'host-gw') return { ip, bridge: [] };
  return {
    // What a tunnel's end is called on the wire does not change, but the kernel may have lost it with the device.
    ip: [
      ...peers.map(
        ({ podCIDR }) =>
          `neigh replace ${tunnelAddress(podCIDR)} lladdr ${tunnelHardwareAddress(podCIDR)} dev ${vxlanDevice} nud permanent`,
      ),
      ...ip,
    ],
    bridge: peers.map(
      ({ podCIDR, address }) => `fdb replace ${tunnelHardwareAddress(podCIDR)} dev ${vxlanDevice} dst ${address} self permanent`,
    ),
  };
}
