import type { Taint } from '../../api/types/core-v1.ts';
import type { EvictionSettings } from './eviction/thresholds.ts';
import type { ImageCollectionSettings } from './images/collect-images.ts';
import type { AllocatableSettings } from './resources/node-allocatable.ts';
import type { SwapRules } from './resources/swap.ts';
import type { ShutdownPeriods } from './shutdown/shutdown-periods.ts';

/** Settings of a kubelet, given at its start. */
export interface KubeletSettings {
  readonly nodeName: string;
  /** The node's addresses, at most one of each family, the default one first. */
  readonly nodeIPs: readonly string[];
  /** The range of the node's Pods; absent: the control plane assigns one. */
  readonly podCIDR?: string;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** Absolute, or empty for none; see readResolverConfiguration. */
  readonly resolvConf?: string;
  /** Port of the kubelet's own API. */
  readonly port: number;
  /** Cgroup below which all Pods live, e.g. /kubepods. */
  readonly cgroupRoot: string;
  readonly maxPods: number;
  readonly allocatable: AllocatableSettings;
  /** Processes per Pod; absent: no limit. */
  readonly pidsLimit?: number;
  /** The version of Kubernetes that the kubelet reports, e.g. v1.36.0. */
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The absolute path of a directory with manifests of static Pods, which run whatever the API says. Absent: there are none. */
  readonly manifestDirectory?: string;
  readonly eviction: EvictionSettings;
  /** Absolute; where device plugins have their sockets. */
  readonly devicePluginDirectory: string;
  /** The grace periods of Pods at a shutdown of the machine. */
  readonly shutdown: ShutdownPeriods;
  readonly swapBehavior: SwapRules['behavior'];
  /** Whether only the process is killed for want of memory, and not its container as a whole, on cgroups of version 2. */
  readonly singleProcessOOMKill: boolean;
  /** Whether containers that name no seccomp profile have RuntimeDefault; else they are unconfined. */
  readonly seccompDefault: boolean;
  /** After which connections of exec, attach and port-forward are ended that carry nothing; 0: never. */
  readonly streamingIdleMs: number;
  /** Whether settings of the kernel that differ from those of a kubelet keep the node from starting; else they are made. */
  readonly protectKernelDefaults: boolean;
  /** Names, or beginnings with a star. */
  readonly allowedUnsafeSysctls: readonly string[];
  /** At once; Infinity: all. */
  readonly maxParallelImagePulls: number;
  readonly imageCollection: ImageCollectionSettings;
  /** Taints that the Node is registered with. */
  readonly taints: readonly Taint[];
}
