import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { runProgram } from '../linux/run-program.ts';
import { type PodNetworkPlan, podNetworkConflist } from './conflist.ts';
import { planHostPortCleanup } from './host-port-rules.ts';
import { listLinks, removePodRoutes, removeTunnel } from './ip-program.ts';
import { masqueradeRemoval, masqueradeRules } from './masquerade-rules.ts';

/** What is known before the control plane has given the node its range. */
export interface PodNetworkLayout extends Omit<PodNetworkPlan, 'podCIDRs' | 'mtu' | 'limitsBandwidth'> {
  readonly configDirectory: string;
  readonly pluginDirectory: string;
  /** Ranges that Pods reach with their own address: those of all Pods, and others. */
  readonly unmasqueradedCIDRs: readonly string[];
}

export interface PodNetwork {
  /** Writes the configuration, which the runtime reads when it starts and when it changes, and the masquerading rules. */
  install(range: Pick<PodNetworkPlan, 'podCIDRs' | 'mtu'>): Promise<void>;
  /** Takes away the bridge, routes and tunnels, the rules and the record of addresses. Only when no pod is left. */
  uninstall(): Promise<void>;
}

export function createPodNetwork(layout: PodNetworkLayout): PodNetwork {
  return {
    async install(range) {
      await mkdir(layout.configDirectory, { recursive: true });
      await mkdir(layout.ipamDirectory, { recursive: true });
      // In place: a renamed file is not noticed by a runtime that is running.
      const file = `${layout.configDirectory}/10-kubets.conflist`;
      const wanted = podNetworkConflist({ ...layout, ...range, limitsBandwidth: await isThere(`${layout.pluginDirectory}/bandwidth`) });
      if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) await writeFile(file, wanted);
      await runProgram('nft', ['-f', '-'], { input: masqueradeRules(layout.bridge, range.podCIDRs, layout.unmasqueradedCIDRs) });
    },
    async uninstall() {
      await runProgram('nft', ['-f', '-'], { input: masqueradeRemoval(layout.bridge) });
      for (const program of ['iptables', 'ip6tables']) {
        const cleanup = planHostPortCleanup(await runProgram(program, ['-t', 'nat', '-S']));
        if (cleanup !== undefined) await runProgram(`${program}-restore`, ['--noflush'], { input: cleanup });
      }
      await removePodRoutes();
      await removeTunnel();
      // Asked of the kernel, not read from /sys, which may show another network namespace than this process is in.
      if ((await listLinks('bridge')).includes(layout.bridge)) await runProgram('ip', ['link', 'delete', layout.bridge]);
      await rm(layout.configDirectory, { recursive: true, force: true });
      await rm(layout.ipamDirectory, { recursive: true, force: true });
    },
  };
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
