import { readFile, readlink } from 'node:fs/promises';
import { formatIP } from '../../../api/base/ip-address.ts';
import { findNames, linesOf, textOf } from './read-facts.ts';
import type { ListeningSocket } from './surveyed-machine.ts';

interface KernelSocket extends ListeningSocket {
  readonly inode: string;
}

const tables = [
  { file: '/proc/net/tcp', protocol: 'tcp', version: 4 },
  { file: '/proc/net/tcp6', protocol: 'tcp', version: 6 },
  { file: '/proc/net/udp', protocol: 'udp', version: 4 },
  { file: '/proc/net/udp6', protocol: 'udp', version: 6 },
] as const;

const listening = '0A';

/** Sockets that listen; who has those of `ports` open is looked up as well. Those of the kernel itself (VXLAN) are left out. */
export async function readListeningSockets(ports: readonly number[]): Promise<ListeningSocket[]> {
  const sockets = (await Promise.all(tables.map(readTable))).flat();
  const wanted = sockets.filter(({ port }) => ports.includes(port));
  const owners = wanted.length === 0 ? new Map<string, number>() : await findOwners(new Set(wanted.map(({ inode }) => inode)));
  return await Promise.all(
    sockets.map(async ({ inode, ...socket }) => {
      const pid = owners.get(inode);
      return pid === undefined ? socket : { ...socket, owner: { pid, command: await commandOf(pid) } };
    }),
  );
}

async function readTable({ file, protocol, version }: (typeof tables)[number]): Promise<KernelSocket[]> {
  return (await linesOf(file)).slice(1).flatMap((line) => {
    const [, local = '', , state, , , , , , inode = '0'] = line.trim().split(/\s+/);
    if ((protocol === 'tcp' && state !== listening) || inode === '0') return [];
    const [address = '', port = '0'] = local.split(':');
    return [{ protocol, address: parseKernelAddress(address, version), port: Number.parseInt(port, 16), inode }];
  });
}

/** Groups of four bytes in the order of the machine, which is little-endian wherever Kubernetes runs but for s390x. */
export function parseKernelAddress(hex: string, version: 4 | 6): string {
  const bytes = (hex.match(/.{8}/g) ?? []).map((group) => (group.match(/../g) ?? []).toReversed().join(''));
  return formatIP({ version, value: BigInt(`0x${bytes.join('') || '0'}`) });
}

/** Processes by the inode of a socket that they have open. */
async function findOwners(inodes: ReadonlySet<string>): Promise<Map<string, number>> {
  const owners = new Map<string, number>();
  const pids = ((await findNames('/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  await Promise.all(
    pids.map(async (pid) => {
      for (const handle of (await findNames(`/proc/${pid}/fd`)) ?? []) {
        const target = await readlink(`/proc/${pid}/fd/${handle}`).catch(() => ''); // closed meanwhile
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        if (inode !== undefined && inodes.has(inode)) owners.set(inode, Number(pid));
      }
    }),
  );
  return owners;
}

async function commandOf(pid: number): Promise<string> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').filter(Boolean); // ended
  return words.length > 0 ? words.join(' ') : await textOf(`/proc/${pid}/comm`);
}
