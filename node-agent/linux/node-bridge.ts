import { runProgram } from './run-program.ts';

/** A network on this machine that connects it with nodes in network namespaces of their own. */
export interface NodeBridgePlan {
  /** Of the bridge, and in the name of its nftables table. */
  readonly name: string;
  /** IPv4, e.g. 172.29.0.0/24: the first address is the machine's, the following are the nodes'. */
  readonly cidr: string;
}

export interface NodeBridge {
  /** The machine's address in it. */
  readonly address: string;
  /** Of the node with this index, from 0. */
  nodeAddress(index: number): string;
  /** Throws, with words for the user, if the range is in use for something else. */
  ensure(): Promise<void>;
  /** Gives the network namespace of process `pid` its place in the network. */
  connect(index: number, pid: number): Promise<void>;
  /** Sends everything for a range to a node. */
  route(cidr: string, via: string): Promise<void>;
  remove(): Promise<void>;
}

/** Marks the routes of `route`. */
const protocol = '108';

export function createNodeBridge({ name, cidr }: NodeBridgePlan): NodeBridge {
  const [base = '', bits = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const value = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const addressAt = (offset: number) => {
    if (offset >= size - 1) throw new Error(`${cidr} has no address for so many nodes`);
    const address = value - (value % size) + offset;
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
  };
  const address = addressAt(1);
  const batch = (lines: readonly string[]) => runProgram('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  return {
    address,
    nodeAddress: (index) => addressAt(2 + index),
    async ensure() {
      const links = await findRoutes(cidr);
      const other = links.find((link) => link !== name);
      if (other !== undefined) throw new Error(`the range ${cidr} is in use by ${other}; choose another with --nodes-cidr`);
      if (!links.includes(name)) {
        await deleteLink(name);
        await batch([`link add ${name} type bridge`, `address add ${address}/${bits} dev ${name}`, `link set ${name} up`]);
      }
      await runProgram('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
      await runProgram('nft', ['-f', '-'], { input: outwardRules(name, cidr) });
    },
    async connect(index, pid) {
      const link = `${linkPrefix(name)}${index + 1}`;
      const within = (...args: string[]) => runProgram('nsenter', ['--target', String(pid), '--net', '--', 'ip', ...args]);
      // Of a node that was killed just now.
      await deleteLink(link);
      await runProgram('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)]);
      await runProgram('ip', ['link', 'set', link, 'master', name, 'up']);
      await within('address', 'add', `${addressAt(2 + index)}/${bits}`, 'dev', 'eth0');
      await within('link', 'set', 'eth0', 'up');
      await within('route', 'add', 'default', 'via', address);
    },
    async route(range, via) {
      await runProgram('ip', ['route', 'replace', range, 'via', via, 'proto', protocol]);
    },
    async remove() {
      await runProgram('nft', ['-f', '-'], { input: `table ip ${name}\ndelete table ip ${name}\n` });
      for (const link of [...(await linksNamed(linkPrefix(name))), name]) await deleteLink(link);
    },
  };
}

/** Interface names have at most 15 characters: the nodes' begin with the end of the bridge's. */
function linkPrefix(bridge: string): string {
  return `kn${bridge.slice(-6)}-`;
}

/** To the world outside, nodes appear as the machine. */
function outwardRules(name: string, cidr: string): string {
  return `table ip ${name}
delete table ip ${name}
table ip ${name} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${cidr} oifname != "${name}" masquerade
  }
}
`;
}

interface LinkEntry {
  readonly ifname?: string;
  readonly dev?: string;
}

async function ask(...args: string[]): Promise<LinkEntry[]> {
  return JSON.parse((await runProgram('ip', ['-json', ...args])) || '[]') as LinkEntry[];
}

/** Interfaces over which this very range, or a part of it, is reached. */
async function findRoutes(cidr: string): Promise<string[]> {
  return (await ask('-4', 'route', 'show', 'root', cidr)).flatMap(({ dev }) => dev ?? []);
}

async function linksNamed(prefix: string): Promise<string[]> {
  return (await ask('link', 'show')).flatMap(({ ifname = '' }) => (ifname.startsWith(prefix) ? [ifname] : []));
}

/** Nothing there is fine: the kernel itself deletes the link of a namespace that has ended, some time later. */
async function deleteLink(name: string): Promise<void> {
  try {
    await runProgram('ip', ['link', 'delete', name]);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('Cannot find device')) throw error;
  }
}
