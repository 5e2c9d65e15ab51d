import { runProgram } from '../../linux/processes/run-program.ts';
import { type PodRoute, routeProtocol, type RouteCommands, vxlanDevice, vxlanID, vxlanPort } from './pod-routes.ts';

/** The interface that carries an address of this machine. */
interface Link {
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

/** A VXLAN device to be. */
interface TunnelPlan {
  readonly link: Link;
  /** The address of this node. */
  readonly outside: string;
  readonly inside: readonly string[];
  readonly hardwareAddress: string;
  readonly mtu: number;
}

/** The programs ip and bridge, as far as pod networks need them. */
export interface IPProgram {
  findLink(address: string): Promise<Link | undefined>;
  /** Whether packets go there without a router in between. */
  isOnLink(address: string): Promise<boolean>;
  /** The routes that we made. */
  listPodRoutes(): Promise<PodRoute[]>;
  applyRoutes(commands: RouteCommands): Promise<void>;
  removePodRoutes(): Promise<void>;
  hasLink(name: string, type: 'bridge' | 'vxlan'): Promise<boolean>;
  removeLink(name: string): Promise<void>;
  /** Makes this node's end of the tunnels again: one that an earlier start has left may be on another link. */
  makeTunnel(plan: TunnelPlan): Promise<void>;
  removeTunnel(): Promise<void>;
}

/** `run`: how programs are run, for another network namespace. */
export function createIPProgram({ run = runProgram }: { readonly run?: typeof runProgram } = {}): IPProgram {
  const ask = async <T>(...args: string[]): Promise<T[]> => JSON.parse((await run('ip', ['-json', ...args])) || '[]') as T[];
  const batch = (program: 'ip' | 'bridge', lines: readonly string[], ...options: string[]) =>
    run(program, [...options, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  const hasLink = async (name: string, type: 'bridge' | 'vxlan') =>
    // Asked of the kernel, not read from /sys, which may show another network namespace than this process is in.
    (await ask<{ readonly ifname?: string }>('link', 'show', 'type', type)).some(({ ifname }) => ifname === name);
  const removeLink = async (name: string) => void (await run('ip', ['link', 'delete', name]));
  const removeTunnel = async () => {
    if (await hasLink(vxlanDevice, 'vxlan')) await removeLink(vxlanDevice);
  };
  return {
    async findLink(address) {
      const entries = await ask<AddressEntry>('address', 'show');
      const found = entries.find(({ addr_info: addresses }) => addresses.some(({ local }) => local === address));
      return found && { name: found.ifname, mtu: found.mtu };
    },
    async isOnLink(address) {
      try {
        const [route] = await ask<RouteEntry>('route', 'get', address);
        return route !== undefined && route.gateway === undefined;
      } catch (error) {
        if (error instanceof Error && /unreachable/.test(error.message)) return false;
        throw error;
      }
    },
    async listPodRoutes() {
      const families = ['-4', '-6'].map((family) => ask<RouteEntry>(family, 'route', 'show', 'proto', routeProtocol));
      return (await Promise.all(families)).flat().map(({ dst, gateway = '' }) => ({ podCIDR: dst, via: gateway }));
    },
    async applyRoutes({ ip, bridge }) {
      // A line that fails does not stop the others.
      if (ip.length > 0) await batch('ip', ip, '-force');
      if (bridge.length > 0) await batch('bridge', bridge, '-force');
    },
    async removePodRoutes() {
      for (const family of ['-4', '-6']) await run('ip', [family, 'route', 'flush', 'proto', routeProtocol]);
    },
    hasLink,
    removeLink,
    async makeTunnel({ link, outside, inside, hardwareAddress, mtu }) {
      await removeTunnel();
      await batch('ip', [
        `link add ${vxlanDevice} address ${hardwareAddress} mtu ${mtu} type vxlan id ${vxlanID} local ${outside} dev ${link.name} dstport ${vxlanPort} nolearning`,
        ...inside.map((address) => `address add ${address}/${address.includes(':') ? 128 : 32} dev ${vxlanDevice}`),
        `link set ${vxlanDevice} up`,
      ]);
    },
    removeTunnel,
  };
}
