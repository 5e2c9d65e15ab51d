import { readdir, readFile } from 'node:fs/promises';
import { formatIP, parseIP } from '../../../api/base/ip-address.ts';

/** The port of a Pod at the node's bridge, as the network plugins have made it. */
export interface PodPort {
  readonly sandboxID: string;
  /** The node's end of the pair of interfaces. */
  readonly port: string;
  /** The hardware address of the Pod's interface. */
  readonly hardwareAddress: string;
  /** The addresses of the Pod, and its IPv6 address on the link, in canonical form. */
  readonly addresses: readonly string[];
  readonly linkLocal: string;
}

/** The ports of all sandboxes that the plugins of this network have set up and not undone. */
export interface PodPorts {
  list(): Promise<readonly PodPort[]>;
}

/** The directory in which libcni keeps the plugins' results, under names such as kubets-<sandbox>-eth0. */
const defaultDirectory = '/var/lib/cni/results';
const resultName = /^kubets-([0-9a-zA-Z]+)-eth0$/;

export function createPodPorts(directory = defaultDirectory): PodPorts {
  /** An answer of plugins does not change. */
  const known = new Map<string, PodPort>();
  return {
    async list() {
      const names = await readdir(directory).catch(() => []); // no Pod has been set up yet
      const present = new Set(names);
      for (const name of known.keys()) if (!present.has(name)) known.delete(name);
      for (const name of names) {
        const sandboxID = resultName.exec(name)?.[1];
        if (sandboxID === undefined || known.has(name)) continue;
        const found = parsePluginResult(sandboxID, await readFile(`${directory}/${name}`, 'utf8').catch(() => '')); // undone meanwhile
        if (found !== undefined) known.set(name, found);
      }
      return [...known.values()];
    },
  };
}

interface PluginResult {
  readonly result?: {
    readonly interfaces?: readonly { readonly name?: string; readonly mac?: string; readonly sandbox?: string }[];
    readonly ips?: readonly { readonly address?: string; readonly interface?: number }[];
  };
}

/** Parses the result that libcni stores for one sandbox; undefined: it has no port at a bridge, or the file is incomplete. */
export function parsePluginResult(sandboxID: string, text: string): PodPort | undefined {
  let parsed: PluginResult;
  try {
    parsed = JSON.parse(text) as PluginResult;
  } catch {
    return undefined;
  }
  const interfaces = parsed.result?.interfaces ?? [];
  const inside = interfaces.findIndex(({ name, sandbox }) => name === 'eth0' && sandbox);
  const outside = interfaces.find(({ name = '', sandbox }) => !sandbox && /^veth[0-9a-zA-Z]+$/.test(name));
  const hardwareAddress = interfaces[inside]?.mac?.toLowerCase();
  if (outside?.name === undefined || hardwareAddress === undefined || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(hardwareAddress))
    return undefined;
  const addresses = (parsed.result?.ips ?? []).flatMap(({ address = '' }) => {
    const ip = parseIP(address.split('/')[0] ?? '');
    return ip === undefined ? [] : [formatIP(ip)];
  });
  return { sandboxID, port: outside.name, hardwareAddress, addresses, linkLocal: linkLocalOf(hardwareAddress) };
}

/** The address that Linux gives an interface on its link (RFC 4291, appendix A). */
export function linkLocalOf(hardwareAddress: string): string {
  const bytes = hardwareAddress.split(':').map((byte) => Number.parseInt(byte, 16));
  const identifier = [(bytes[0] ?? 0) ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]];
  const value = identifier.reduce<bigint>((sum, byte) => (sum << 8n) | BigInt(byte ?? 0), 0n);
  return formatIP({ version: 6, value: (0xfe80n << 112n) | value });
}
