import { writeFile } from 'node:fs/promises';
import type { Logger } from '../../api/base/logger.ts';

/**
 * What pod networks need of the kernel: forwarding, and bridged packets seen by nftables, without which a Service is not
 * reachable from a pod that shares the bridge with its endpoint. Where the bridge module is missing so far, its file is too.
 */
const networkSettings: readonly (readonly [file: string, value: string])[] = [
  ['net/ipv4/ip_forward', '1'],
  ['net/bridge/bridge-nf-call-iptables', '1'],
];

export async function applyNetworkSysctls(logger: Logger): Promise<void> {
  for (const [file, value] of networkSettings) {
    try {
      await writeFile(`/proc/sys/${file}`, value);
    } catch (error) {
      logger.warn('kernel setting cannot be made', { setting: file.replaceAll('/', '.'), value, error });
    }
  }
}
