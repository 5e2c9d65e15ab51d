import type { KubeletSettings } from './kubelet-settings.ts';
import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Client } from '../../api/client/client.ts';
import type { ContainerRuntime, ImageStore } from '../cri/runtime.ts';
import type { CgroupNames } from '../linux/cgroups/cgroup-names.ts';
import type { Cgroups } from '../linux/cgroups/cgroups.ts';
import type { HostFiles } from '../linux/files/host-files.ts';
import type { MachineFacts } from '../linux/machine/machine.ts';
import type { Mounts } from '../linux/mounts/mounts.ts';
import type { FindCredentials } from './images/credential-providers.ts';
import type { UsageReader } from '../linux/machine/node-usage.ts';
import type { NodeStatsSource } from './stats/node-stats.ts';
import type { NodePaths } from '../node-paths.ts';
import type { PodServices } from './pods/pod-services.ts';
import type { PodStorageReader } from './stats/pod-storage.ts';
import type { Tallies } from './stats/tallies.ts';

export interface KubeletDependencies {
  readonly settings: KubeletSettings;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  readonly files: HostFiles;
  readonly mounts: Mounts;
  readonly cgroups: Cgroups;
  readonly cgroupNames: CgroupNames;
  /** Whether the kernel limits the swap of cgroups. */
  readonly limitsSwap: boolean;
  /** Whether it limits their huge pages. */
  readonly limitsHugePages: boolean;
  readonly machine: MachineFacts;
  readonly paths: NodePaths;
  readonly tallies: Tallies;
  readonly stats: NodeStatsSource;
  readonly usage: UsageReader;
  readonly findCredentials: FindCredentials;
  readonly storage: PodStorageReader;
  /** Resolves when NetworkPolicies hold for a Pod that has just been given its addresses. */
  readonly isolatePod: PodServices['isolatePod'];
  readonly releasePod: PodServices['releasePod'];
  /** Deficiencies of the machine that keep Pods from running, in words for the Ready condition. */
  readonly machineProblems: () => readonly string[];
  /** Brings the runtime up again after it died. */
  readonly reviveRuntime: (signal: AbortSignal) => Promise<void>;
}
