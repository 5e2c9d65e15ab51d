import { cidrContains, formatIP, networkAddress, parseCIDR } from '../../../api/base/ip-address.ts';
import { runProgram } from '../processes/run-program.ts';

/** A network on this machine that connects it with nodes in network namespaces of their own. */
interface NodeBridgePlan {
  /** The name of the bridge, and of its nftables table. */
  readonly name: string;
  /** At most one range of each family, e.g. 172.29.0.0/24: the first address is the machine's, the following ones are the nodes'. */
  readonly cidrs: readonly string[];
}

export interface NodeBridge {
  /** The machine's address in its first range. */
  readonly address: string;
  /** The addresses of the node with this index, from 0; one in each range. */
  nodeAddresses(index: number): string[];
  /** Throws, with words for the user, if the range is in use for something else. */
  ensure(): Promise<void>;
  /** Gives the network namespace of process `pid` its place in the network. */
  connect(index: number, pid: number): Promise<void>;
  /** Sends everything for a range to the node with this index, if it has an address of the range's family. */
  route(cidr: string, index: number): Promise<void>;
  remove(): Promise<void>;
}

/** Marks the routes of `route`. */
const protocol = '108';

export function createNodeBridge({ name, cidrs }: NodeBridgePlan): NodeBridge {
  const addressesAt = (offset: number) => cidrs.map((cidr) => addressAt(cidr, offset));
  const bitsOf = (index: number) => cidrs[index]?.split('/')[1] ?? '';
  const addressLines = (offset: number, device: string) =>
    // The addresses are unique: there is nothing to wait for.
    addressesAt(offset).map(
      (address, index) => `address add ${address}/${bitsOf(index)} dev ${device}${address.includes(':') ? ' nodad' : ''}`,
    );
  const batch = (lines: readonly string[]) => runProgram('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  const [address = ''] = addressesAt(1);
  return {
    address,
    nodeAddresses: (index) => addressesAt(2 + index),
    async ensure() {
      const links = (await Promise.all(cidrs.map(findRoutes))).flat();
      const other = links.find((link) => link !== name);
      if (other !== undefined) throw new Error(`the range ${cidrs.join(' or ')} is in use by ${other}; choose another with --nodes-cidr`);
      if (!links.includes(name)) {
        await deleteLink(name);
        await batch([`link add ${name} type bridge`, ...addressLines(1, name), `link set ${name} up`]);
      }
      for (const file of cidrs.map((cidr) => (cidr.includes(':') ? 'ipv6/conf/all/forwarding' : 'ipv4/ip_forward')))
        await runProgram('sh', ['-c', `echo 1 > /proc/sys/net/${file}`]);
      await runProgram('nft', ['-f', '-'], { input: removal(name) + cidrs.map((cidr) => outwardRules(name, cidr)).join('') });
    },
    async connect(index, pid) {
      const link = `${linkPrefix(name)}${index + 1}`;
      const within = (lines: readonly string[]) =>
        runProgram('nsenter', ['--target', String(pid), '--net', '--', 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
      // A link of a node that was killed just now.
      await deleteLink(link);
      await runProgram('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)]);
      await runProgram('ip', ['link', 'set', link, 'master', name, 'up']);
      const routes = addressesAt(1).map((via) => `route add default via ${via}`);
      await within([...addressLines(2 + index, 'eth0'), 'link set eth0 up', ...routes]);
    },
    async route(range, index) {
      const via = addressesAt(2 + index).find((one) => one.includes(':') === range.includes(':'));
      if (via !== undefined) await runProgram('ip', ['route', 'replace', range, 'via', via, 'proto', protocol]);
    },
    async remove() {
      await runProgram('nft', ['-f', '-'], { input: removal(name) });
      for (const link of [...(await linksNamed(linkPrefix(name))), name]) await deleteLink(link);
    },
  };
}

/** Throws, with words for the user, where the range ends before. */
function addressAt(text: string, offset: number): string {
  const cidr = parseCIDR(text);
  if (cidr === undefined) throw new Error(`${text} is not a range of addresses`);
  const { version, value } = networkAddress(cidr);
  const ip = { version, value: value + BigInt(offset) };
  // The last address of IPv4 is that of all.
  if (!cidrContains(cidr, { version, value: ip.value + 1n })) throw new Error(`${text} has no address for so many nodes`);
  return formatIP(ip);
}

/** Interface names have at most 15 characters: the nodes' begin with the end of the bridge's. */
function linkPrefix(bridge: string): string {
  return `kn${bridge.slice(-6)}-`;
}

/** To the world outside, nodes appear as the machine. */
function outwardRules(name: string, cidr: string): string {
  const ip = cidr.includes(':') ? 'ip6' : 'ip';
  return `table ${ip} ${name} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${ip} saddr ${cidr} oifname != "${name}" masquerade
  }
}
`;
}

function removal(name: string): string {
  return ['ip', 'ip6'].map((ip) => `table ${ip} ${name}\ndelete table ${ip} ${name}\n`).join('');
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
  return (await ask(cidr.includes(':') ? '-6' : '-4', 'route', 'show', 'root', cidr)).flatMap(({ dev }) => dev ?? []);
}

async function linksNamed(prefix: string): Promise<string[]> {
  return (await ask('link', 'show')).flatMap(({ ifname = '' }) => (ifname.startsWith(prefix) ? [ifname] : []));
}

/** Deletes a link. It may be absent: the kernel itself deletes the link of a namespace that has ended, some time later. */
async function deleteLink(name: string): Promise<void> {
  try {
    await runProgram('ip', ['link', 'delete', name]);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('Cannot find device')) throw error;
  }
}
