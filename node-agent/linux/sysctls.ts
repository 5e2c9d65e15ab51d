import { readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Logger } from '../../api/base/logger.ts';
import type { IPFamily } from '../../api/semantics/ip-family.ts';

type Setting = readonly [file: string, value: string];

/**
 * What pod networks need of the kernel: forwarding, and bridged packets seen by nftables, without which a Service is not
 * reachable from a pod that shares the bridge with its endpoint. Where the bridge module is missing so far, its file is too.
 */
const networkSettings: Readonly<Record<IPFamily, readonly Setting[]>> = {
  IPv4: [
    ['net/ipv4/ip_forward', '1'],
    ['net/bridge/bridge-nf-call-iptables', '1'],
  ],
  IPv6: [
    ['net/ipv6/conf/all/forwarding', '1'],
    ['net/bridge/bridge-nf-call-ip6tables', '1'],
  ],
};

/** How long connections are remembered, as kube-proxy has it by default. */
const conntrackSettings: readonly Setting[] = [
  ['net/netfilter/nf_conntrack_tcp_timeout_established', '86400'],
  ['net/netfilter/nf_conntrack_tcp_timeout_close_wait', '3600'],
];
const conntrackMaxFile = 'net/netfilter/nf_conntrack_max';
const connectionsPerCPU = 32 * 1024;
const minConnections = 128 * 1024;

export async function applyNetworkSysctls(families: readonly IPFamily[], logger: Logger): Promise<void> {
  const settings = [...families.flatMap((family) => networkSettings[family]), ...conntrackSettings, ...(await conntrackMax())];
  // First: with forwarding the kernel would at once forget the default routes that routers have told it.
  if (families.includes('IPv6')) settings.unshift(...(await keptAdvertisements()));
  for (const [file, value] of settings) {
    try {
      await writeFile(`/proc/sys/${file}`, value);
    } catch (error) {
      logger.warn('kernel setting cannot be made', { setting: file.replaceAll('/', '.'), value, error });
    }
  }
}

/** How many connections are remembered: never fewer than before. Network namespaces share the machine's number. */
async function conntrackMax(): Promise<Setting[]> {
  const max = Math.max(minConnections, availableParallelism() * connectionsPerCPU);
  const present = Number(await readFile(`/proc/sys/${conntrackMaxFile}`, 'utf8').catch(() => '0')); // no conntrack so far
  return present >= max ? [] : [[conntrackMaxFile, String(max)]];
}

/** Interfaces that listen to routers go on doing so when the machine becomes one itself. */
async function keptAdvertisements(): Promise<Setting[]> {
  const folder = 'net/ipv6/conf';
  const names = await readdir(`/proc/sys/${folder}`).catch(() => []); // no IPv6: the settings above say so
  const files = names.filter((name) => name !== 'all' && name !== 'default').map((name) => `${folder}/${name}/accept_ra`);
  const values = await Promise.all(files.map((file) => readFile(`/proc/sys/${file}`, 'utf8').catch(() => ''))); // gone meanwhile
  return files.flatMap((file, index): Setting[] => (values[index]?.trim() === '1' ? [[file, '2']] : []));
}
