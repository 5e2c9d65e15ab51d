import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { runProgram } from '../linux/run-program.ts';
import { type PodNetworkPlan, podNetworkConflist } from './conflist.ts';
import { planHostPortCleanup } from './host-port-rules.ts';
import { masqueradeRules, masqueradeTable } from './masquerade-rules.ts';

export interface PodNetwork {
  /** Writes the configuration (before the runtime starts, which reads it then) and the masquerading rules. */
  install(): Promise<void>;
  /** Takes away the bridge, the rules and the record of addresses. Only when no pod is left. */
  uninstall(): Promise<void>;
}

export function createPodNetwork(plan: PodNetworkPlan & { readonly configDirectory: string; readonly clusterCIDR: string }): PodNetwork {
  return {
    async install() {
      await mkdir(plan.configDirectory, { recursive: true });
      await mkdir(plan.ipamDirectory, { recursive: true });
      // In place: a renamed file is not noticed by a runtime that is running.
      const file = `${plan.configDirectory}/10-kubets.conflist`;
      const wanted = podNetworkConflist(plan);
      if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) await writeFile(file, wanted);
      await runProgram('nft', ['-f', '-'], { input: masqueradeRules(plan.bridge, plan.podCIDR, plan.clusterCIDR) });
    },
    async uninstall() {
      const table = `table ip ${masqueradeTable(plan.bridge)}\n`;
      await runProgram('nft', ['-f', '-'], { input: `${table}delete ${table}` });
      const cleanup = planHostPortCleanup(await runProgram('iptables', ['-t', 'nat', '-S']));
      if (cleanup !== undefined) await runProgram('iptables-restore', ['--noflush'], { input: cleanup });
      // Asked of the kernel, not read from /sys, which may show another network namespace than this process is in.
      const links = JSON.parse((await runProgram('ip', ['-json', 'link', 'show', 'type', 'bridge'])) || '[]') as { ifname?: string }[];
      if (links.some(({ ifname }) => ifname === plan.bridge)) await runProgram('ip', ['link', 'delete', plan.bridge]);
      await rm(plan.configDirectory, { recursive: true, force: true });
      await rm(plan.ipamDirectory, { recursive: true, force: true });
    },
  };
}
