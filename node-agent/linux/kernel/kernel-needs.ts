import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import type { PodNetworkMode } from '../../../api/semantics/nodes/node-configuration.ts';

/** A kernel module that the node needs, loaded or built in. Its name is from a fixed list, never from an object. */
export interface ModuleNeed {
  readonly name: string;
  /** Absolute. The kernel has the module if the file exists and, where `word` is given, has a line that ends in that word. */
  readonly evidence: { readonly file: string; readonly word?: string };
  /** The failure without it; absent: the node works all the same. */
  readonly consequence?: string;
}

/** A kernel setting that the node needs. */
export interface SettingNeed {
  /** The path below /proc/sys. */
  readonly file: string;
  readonly value: number;
  /** `atLeast`: a larger value is kept. */
  readonly rule: 'equal' | 'atLeast';
  /** The module that has it, of which the complaint is where it is missing. */
  readonly module?: string;
  /** The failure without it; absent: the node works all the same. */
  readonly consequence?: string;
}

export interface KernelNeeds {
  readonly modules: readonly ModuleNeed[];
  readonly settings: readonly SettingNeed[];
}

interface KernelNeedsInput {
  readonly families: readonly IPFamily[];
  readonly podNetwork: PodNetworkMode;
  /** Whether the node has its own containerd, which keeps images in overlay file systems. */
  readonly hasOwnRuntime: boolean;
  readonly cpus: number;
}

const familySettings: Readonly<Record<IPFamily, { readonly forwarding: string; readonly bridge: string }>> = {
  IPv4: { forwarding: 'net/ipv4/ip_forward', bridge: 'net/bridge/bridge-nf-call-iptables' },
  IPv6: { forwarding: 'net/ipv6/conf/all/forwarding', bridge: 'net/bridge/bridge-nf-call-ip6tables' },
};

const withoutBridgeFilter = 'Pods cannot reach Services whose endpoints are on the same node';
const withoutForwarding = 'Pods reach nothing outside of the node';

/** kube-proxy's defaults of conntrack-max-per-core, conntrack-min, and of the time that connections are remembered, in seconds. */
const connectionsPerCPU = 32 * 1024;
const minConnections = 128 * 1024;
const establishedSeconds = 86_400;
const closeWaitSeconds = 3600;
const tracking = { module: 'nf_conntrack', rule: 'equal' } as const;

/** The kernel modules and settings that a node needs. An external network plugin may not need bridges. */
export function kernelNeeds({ families, podNetwork, hasOwnRuntime, cpus }: KernelNeedsInput): KernelNeeds {
  const isBridged = podNetwork !== 'external';
  const bridged = isBridged ? { consequence: withoutBridgeFilter } : {};
  return {
    modules: [
      { name: 'br_netfilter', evidence: { file: '/proc/sys/net/bridge/bridge-nf-call-iptables' }, ...bridged },
      {
        name: 'nf_conntrack',
        evidence: { file: '/proc/sys/net/netfilter/nf_conntrack_max' },
        consequence: 'Services have no rules',
      },
      ...(hasOwnRuntime
        ? [{ name: 'overlay', evidence: { file: '/proc/filesystems', word: 'overlay' }, consequence: 'no container can be created' }]
        : []),
      ...(podNetwork === 'vxlan'
        ? [{ name: 'vxlan', evidence: { file: '/sys/module/vxlan' }, consequence: 'Pods of other nodes cannot be reached' }]
        : []),
    ],
    settings: [
      ...families.flatMap((family): SettingNeed[] => [
        { file: familySettings[family].forwarding, value: 1, rule: 'equal', consequence: withoutForwarding },
        { file: familySettings[family].bridge, value: 1, rule: 'equal', module: 'br_netfilter', ...bridged },
      ]),
      { ...tracking, file: 'net/netfilter/nf_conntrack_max', value: Math.max(minConnections, cpus * connectionsPerCPU), rule: 'atLeast' },
      { ...tracking, file: 'net/netfilter/nf_conntrack_tcp_timeout_established', value: establishedSeconds },
      { ...tracking, file: 'net/netfilter/nf_conntrack_tcp_timeout_close_wait', value: closeWaitSeconds },
    ],
  };
}

/** Whether a setting has a sufficient value, as its file has it. */
export function isSatisfied({ value, rule }: Pick<SettingNeed, 'value' | 'rule'>, present: string): boolean {
  const number = Number(present);
  return present.trim() !== '' && (rule === 'equal' ? number === value : number >= value);
}

/** The words of the Ready condition for a module that is missing and cannot be loaded. */
export function moduleProblem({ name, consequence }: ModuleNeed, reason: string): string {
  return `kernel not ready: module ${name} is not loaded (${reason})${consequence === undefined ? '' : `: ${consequence}`}; run "modprobe ${name}", which takes the package kmod and the modules of the running kernel`;
}

/** The words of the Ready condition for a setting that cannot be made. */
export function settingProblem({ file, value, consequence }: SettingNeed, reason: string): string {
  const name = file.replaceAll('/', '.');
  return `kernel not ready: ${name} is not ${value} (${reason})${consequence === undefined ? '' : `: ${consequence}`}; run "sysctl -w ${name}=${value}"`;
}
