import type { SurveyedMachine } from '../../../linux/survey/surveyed-machine.ts';
import { type Check, error, type Finding, type NodePlan, orOK, warning } from '../../check.ts';
import { type KernelFeature, stateOf } from '../../kernel-features.ts';
import { installCommand } from '../../../linux/survey/system-packages.mjs';

interface NeededFeature extends KernelFeature {
  /** Whether the kernel shows by itself that it has the feature. */
  readonly isSeen: (machine: SurveyedMachine) => boolean;
  /** Default: always. */
  readonly isNeeded?: (plan: NodePlan) => boolean;
}

const hasOwnNetwork = ({ podNetwork }: NodePlan) => podNetwork !== 'external';

/** All that may be needed. */
export const kernelFeatures: readonly NeededFeature[] = [
  {
    ...{ module: 'overlay', option: 'CONFIG_OVERLAY_FS', purpose: 'file systems of containers' },
    isSeen: ({ kernel }) => kernel.fileSystems.includes('overlay'),
    isNeeded: ({ runtimeEndpoint }) => runtimeEndpoint === undefined,
  },
  {
    ...{ module: 'br_netfilter', option: 'CONFIG_BRIDGE_NETFILTER', purpose: 'Services between Pods of one node' },
    isSeen: ({ sysctls }) => sysctls['net.bridge.bridge-nf-call-iptables'] !== undefined,
    isNeeded: hasOwnNetwork,
  },
  {
    ...{ module: 'nf_conntrack', option: 'CONFIG_NF_CONNTRACK', purpose: 'Services' },
    isSeen: ({ sysctls }) => sysctls['net.netfilter.nf_conntrack_max'] !== undefined,
  },
  { ...{ module: 'nf_tables', option: 'CONFIG_NF_TABLES', purpose: 'Services and NetworkPolicies' }, isSeen: hasTables },
  { ...{ module: 'nft_numgen', option: 'CONFIG_NFT_NUMGEN', purpose: 'the choice among endpoints of a Service' }, isSeen: takesRules },
  { ...{ module: 'nft_masq', option: 'CONFIG_NFT_MASQ', purpose: 'connections of Pods to the outside' }, isSeen: takesRules },
  { ...{ module: 'nft_socket', option: 'CONFIG_NFT_SOCKET', purpose: 'cluster DNS' }, isSeen: takesRules },
  { ...{ module: 'veth', option: 'CONFIG_VETH', purpose: 'interfaces of Pods' }, isSeen: () => false, isNeeded: hasOwnNetwork },
  {
    ...{ module: 'bridge', option: 'CONFIG_BRIDGE', purpose: 'the network of Pods' },
    isSeen: ({ sysctls }) => sysctls['net.bridge.bridge-nf-call-iptables'] !== undefined,
    isNeeded: hasOwnNetwork,
  },
  {
    ...{ module: 'vxlan', option: 'CONFIG_VXLAN', purpose: '--pod-network vxlan' },
    isSeen: () => false,
    isNeeded: ({ podNetwork }) => podNetwork === 'vxlan',
  },
];

function hasTables({ filter }: SurveyedMachine): boolean {
  return filter.baseChains.length > 0;
}

/** The kernel was asked to check rules with all that kubets uses, and had no objection. */
function takesRules({ filter }: SurveyedMachine): boolean {
  return filter.takesRules === 'yes';
}

/** CAP_SYS_MODULE. */
const moduleCapability = 16n;

/** Parts of the kernel that are built in, loaded, or can be loaded when the agent starts. */
export const kernelModules: Check = {
  name: 'KernelModules',
  run(machine, plan) {
    const wanted = kernelFeatures.filter(({ isNeeded }) => isNeeded?.(plan) ?? true);
    const findings = wanted.flatMap((feature) => findingsOf(feature, machine));
    return orOK(findings, kernelModules.name, wanted.map(({ module }) => module).join(', '));
  },
};

function findingsOf(feature: NeededFeature, machine: SurveyedMachine): Finding[] {
  const { module, option, purpose } = feature;
  const { kernel, programs, sysctls, capabilities } = machine;
  const name = `KernelModule-${module}`;
  const state = stateOf(feature, kernel, feature.isSeen(machine));
  if (state === 'present' || state === 'unknown') return [];
  if (state === 'missing')
    return [
      error(
        name,
        `the kernel has no ${module} (${purpose})`,
        `run a kernel with ${option}; on Debian and Ubuntu more modules may be in linux-image-* or linux-modules-extra-${kernel.release}`,
      ),
    ];
  if (state === 'unreachable' || state === 'doubtful')
    return [
      (state === 'doubtful' ? warning : error)(
        name,
        `the files of module ${module} (${purpose}) for the running kernel ${kernel.release} are not there`,
        'restart the machine, if its kernel was upgraded since it was started; else install the modules of this kernel',
      ),
    ];
  const byHand = `modprobe ${module}`;
  if (programs['modprobe']?.path === undefined)
    return [
      error(
        name,
        `module ${module} (${purpose}) is not loaded, and there is no modprobe to load it`,
        installCommand(machine.release, ['kmod']),
      ),
    ];
  if (sysctls['kernel.modules_disabled'] === '1')
    return [
      error(
        name,
        `module ${module} (${purpose}) is not loaded, and the kernel loads no more (kernel.modules_disabled)`,
        `load it early at boot: echo ${module} > /etc/modules-load.d/kubets.conf`,
      ),
    ];
  if (!((capabilities >> moduleCapability) & 1n))
    return [
      error(
        name,
        `module ${module} (${purpose}) is not loaded, and this process may not load it`,
        `on the machine around this container: ${byHand}`,
      ),
    ];
  return [];
}
