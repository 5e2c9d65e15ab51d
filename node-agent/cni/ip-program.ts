import { runProgram } from '../linux/run-program.ts';
import { type PodRoute, routeProtocol, type RouteCommands, vxlanDevice, vxlanID, vxlanPort } from './pod-routes.ts';

/** The interface that carries an address of this machine. */
export interface Link {
  readonly name: string;
  readonly mtu: number;
}

interface AddressEntry {
  readonly ifname: string;
  readonly mtu: number;
  readonly addr_info: readonly { readonly local?: string }[];
}

interface RouteEntry {
  readonly dst: string;
  readonly gateway?: string;
}

async function ask<T>(...args: string[]): Promise<T[]> {
  return JSON.parse((await runProgram('ip', ['-json', ...args])) || '[]') as T[];
}

export async function findLink(address: string): Promise<Link | undefined> {
  const entries = await ask<AddressEntry>('address', 'show');
  const found = entries.find(({ addr_info: addresses }) => addresses.some(({ local }) => local === address));
  return found && { name: found.ifname, mtu: found.mtu };
}

/** Whether packets go there without a router in between. */
export async function isOnLink(address: string): Promise<boolean> {
  try {
    const [route] = await ask<RouteEntry>('route', 'get', address);
    return route !== undefined && route.gateway === undefined;
  } catch (error) {
    if (error instanceof Error && /unreachable/.test(error.message)) return false;
    throw error;
  }
}

/** The routes that we made. */
export async function listPodRoutes(): Promise<PodRoute[]> {
  const families = ['-4', '-6'].map((family) => ask<RouteEntry>(family, 'route', 'show', 'proto', routeProtocol));
  return (await Promise.all(families)).flat().map(({ dst, gateway = '' }) => ({ podCIDR: dst, via: gateway }));
}

export async function applyRoutes({ ip, bridge }: RouteCommands): Promise<void> {
  // Where one line fails the others are still carried out.
  if (ip.length > 0) await runProgram('ip', ['-force', '-batch', '-'], { input: `${ip.join('\n')}\n` });
  if (bridge.length > 0) await runProgram('bridge', ['-force', '-batch', '-'], { input: `${bridge.join('\n')}\n` });
}

export async function removePodRoutes(): Promise<void> {
  for (const family of ['-4', '-6']) await runProgram('ip', [family, 'route', 'flush', 'proto', routeProtocol]);
}

export async function listLinks(type: 'bridge' | 'vxlan'): Promise<string[]> {
  const links = await ask<{ readonly ifname?: string }>('link', 'show', 'type', type);
  return links.flatMap(({ ifname }) => ifname ?? []);
}

/** This node's end of the tunnels, made anew: one that an earlier start left may be on another link. */
export async function makeTunnel(options: {
  readonly link: Link;
  /** Of this node. */
  readonly outside: string;
  readonly inside: readonly string[];
  readonly hardwareAddress: string;
  readonly mtu: number;
}): Promise<void> {
  await removeTunnel();
  const { link, outside, inside, hardwareAddress, mtu } = options;
  const lines = [
    `link add ${vxlanDevice} address ${hardwareAddress} mtu ${mtu} type vxlan id ${vxlanID} local ${outside} dev ${link.name} dstport ${vxlanPort} nolearning`,
    ...inside.map((address) => `address add ${address}/${address.includes(':') ? 128 : 32} dev ${vxlanDevice}`),
    `link set ${vxlanDevice} up`,
  ];
  await runProgram('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
}

export async function removeTunnel(): Promise<void> {
  if ((await listLinks('vxlan')).includes(vxlanDevice)) await runProgram('ip', ['link', 'delete', vxlanDevice]);
}
