import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { parseCIDR } from '../../../api/base/ip-address.ts';
import { familyOf, type IPFamily } from '../../../api/semantics/services/ip-family.ts';
import type { PodNetworkMode } from '../../../api/semantics/nodes/node-configuration.ts';
import type { Node } from '../../../api/types/core-v1.ts';

/** How Pods of other nodes are reached: by a route through the node, or in VXLAN packets where there is a router in between. */
export type RouteMode = Exclude<PodNetworkMode, 'external'>;

/** The Pods of another node, of one family, as far as routes to them are concerned. */
export interface Peer {
  /** The name of the node. */
  readonly name: string;
  /** The node's address of the family of podCIDR; absent: it has none, and only a tunnel leads there. */
  readonly address?: string;
  readonly podCIDR: string;
  /** The other end of the tunnel to it. */
  readonly tunnel: { readonly outside: string; readonly hardwareAddress: string };
}

/** A route as `ip route` takes it. */
export interface PodRoute {
  readonly podCIDR: string;
  readonly via: string;
}

/** Marks our routes among those of others. Not in /etc/iproute2/rt_protos. */
export const routeProtocol = '107';
export const vxlanDevice = 'kubets.vxlan';
/** The port that flannel uses, which firewalls know. */
export const vxlanPort = 8472;
export const vxlanID = 1;
/** Outer Ethernet, IPv4 or IPv6, UDP and VXLAN headers. */
export const vxlanOverheadBytes: Readonly<Record<IPFamily, number>> = { IPv4: 50, IPv6: 70 };

/** The ranges of nodes that have an address, but for the own. */
export function peersOf(nodes: readonly DeepReadonly<Node>[], ownName: string | undefined): Peer[] {
  return nodes.flatMap(({ metadata, spec, status }) => {
    const { name = '' } = metadata;
    const addresses = (status?.addresses ?? []).flatMap((one) => (one.type === 'InternalIP' ? one.address : []));
    const podCIDRs = spec?.podCIDRs ?? [];
    const outside = outsideOf(addresses);
    if (name === ownName || outside === undefined) return [];
    const tunnel = { outside, hardwareAddress: tunnelHardwareAddress(podCIDRs) };
    return podCIDRs.map((podCIDR): Peer => {
      const address = addresses.find((one) => familyOf(one) === familyOf(podCIDR));
      return { name, podCIDR, tunnel, ...(address === undefined ? {} : { address }) };
    });
  });
}

/** The address of a node that its end of tunnels has outside: all nodes must choose alike. */
export function outsideOf(addresses: readonly string[]): string | undefined {
  return addresses.find((one) => familyOf(one) === 'IPv4') ?? addresses.find((one) => familyOf(one) === 'IPv6');
}

/** Network address of a range: that of the tunnel's end on the node that has the range. */
export function tunnelAddress(podCIDR: string): string {
  return podCIDR.slice(0, podCIDR.indexOf('/'));
}

/** The hardware address of that end, computed from the node's ranges so that it need not be published: locally administered. */
export function tunnelHardwareAddress(podCIDRs: readonly string[]): string {
  const cidr = podCIDRs.find((one) => familyOf(one) === 'IPv4') ?? podCIDRs[0] ?? '';
  const { version, value } = parseCIDR(cidr)?.address ?? { version: 4, value: 0n };
  // IPv6 ranges of /64 differ in the upper half of an address.
  const distinct = version === 4 ? value : (value >> 64n) & 0xffff_ffffn;
  const bytes = [24n, 16n, 8n, 0n].map((shift) => Number((distinct >> shift) & 0xffn));
  return ['0a', '6b', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** The routes to all peers that can be reached. */
function wantedRoutes(peers: readonly Peer[], mode: RouteMode): PodRoute[] {
  return peers.flatMap(({ podCIDR, address }) => {
    const via = mode === 'vxlan' ? tunnelAddress(podCIDR) : address;
    return via === undefined ? [] : { podCIDR, via };
  });
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
    // The hardware address of a tunnel's end does not change, but the kernel may have lost it with the device.
    ip: [
      ...peers.map(
        ({ podCIDR, tunnel }) =>
          `neigh replace ${tunnelAddress(podCIDR)} lladdr ${tunnel.hardwareAddress} dev ${vxlanDevice} nud permanent`,
      ),
      ...ip,
    ],
    bridge: [...new Set(peers.map(({ tunnel }) => tunnel))].map(
      ({ hardwareAddress, outside }) => `fdb replace ${hardwareAddress} dev ${vxlanDevice} dst ${outside} self permanent`,
    ),
  };
}
