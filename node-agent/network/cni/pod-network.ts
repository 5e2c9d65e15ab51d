import { access, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { runProgram } from '../../linux/processes/run-program.ts';
import { type PodNetworkPlan, podNetworkConflist } from './conflist.ts';
import { planHostPortCleanup } from './host-port-rules.ts';
import { restoreHostPorts } from './host-ports.ts';
import { createIPProgram } from './ip-program.ts';
import { createNFT, type NFT } from '../../linux/nft/nft.ts';
import { masqueradeRemoval, masqueradeRules, masqueradeTables } from './masquerade-rules.ts';
import { renderPortTableRemoval } from './port-rules.ts';

/** The pod network's settings before the control plane has given the node its range. */
interface PodNetworkLayout extends Omit<PodNetworkPlan, 'podCIDRs' | 'mtu' | 'limitsBandwidth'> {
  readonly configDirectory: string;
  readonly pluginDirectory: string;
  /** Ranges that Pods reach with their own address: those of all Pods, and others. */
  readonly unmasqueradedCIDRs: readonly string[];
}

export interface PodNetwork {
  /** Writes the configuration, which the runtime reads when it starts and when it changes, and the masquerading rules. */
  install(range: Pick<PodNetworkPlan, 'podCIDRs' | 'mtu'>): Promise<void>;
  /** The masquerading rules alone, which have been lost. */
  writeRules(podCIDRs: readonly string[]): Promise<void>;
  /** The host ports of these sandboxes, which have been lost. Answers of how many. */
  restoreHostPorts(sandboxIDs: ReadonlySet<string>): Promise<number>;
  /** The tables that these rules are in, as `family name`. */
  tablesOf(podCIDRs: readonly string[]): readonly string[];
  /** Takes away the bridge, routes and tunnels, the rules and the record of addresses. Only when no pod is left. */
  uninstall(): Promise<void>;
}

/** `run` runs programs, for another network namespace. `nft` writes rules. */
export function createPodNetwork(
  layout: PodNetworkLayout,
  { run = runProgram, nft = createNFT({ run }) }: { readonly run?: typeof runProgram; readonly nft?: NFT } = {},
): PodNetwork {
  const ip = createIPProgram({ run });
  const writeRules = (podCIDRs: readonly string[]) => nft.apply(masqueradeRules(layout.bridge, podCIDRs, layout.unmasqueradedCIDRs));
  return {
    writeRules,
    restoreHostPorts: (sandboxIDs) => restoreHostPorts(layout, sandboxIDs, run),
    tablesOf: (podCIDRs) => masqueradeTables(layout.bridge, podCIDRs),
    async install(range) {
      await mkdir(layout.configDirectory, { recursive: true });
      await mkdir(layout.ipamDirectory, { recursive: true });
      // In place: a renamed file is not noticed by a runtime that is running.
      const file = configFile(layout);
      const wanted = podNetworkConflist({ ...layout, ...range, limitsBandwidth: await isThere(`${layout.pluginDirectory}/bandwidth`) });
      if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) await writeFile(file, wanted, { mode: 0o600 });
      // Earlier versions wrote it with wider permissions.
      await chmod(file, 0o600);
      await writeRules(range.podCIDRs);
    },
    async uninstall() {
      await nft.apply(masqueradeRemoval(layout.bridge) + renderPortTableRemoval());
      for (const program of ['iptables', 'ip6tables']) {
        const cleanup = planHostPortCleanup(await run(program, ['-t', 'nat', '-S']));
        if (cleanup !== undefined) await run(`${program}-restore`, ['--noflush'], { input: cleanup });
      }
      await ip.removePodRoutes();
      await ip.removeTunnel();
      if (await ip.hasLink(layout.bridge, 'bridge')) await ip.removeLink(layout.bridge);
      // Runtimes may watch the folder, and others may have files in it.
      await rm(configFile(layout), { force: true });
      await rm(layout.ipamDirectory, { recursive: true, force: true });
    },
  };
}

function configFile({ configDirectory }: PodNetworkLayout): string {
  return `${configDirectory}/10-kubets.conflist`;
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
