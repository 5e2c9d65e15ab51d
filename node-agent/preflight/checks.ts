import type { Check } from './check.ts';
import { addressRanges } from './checks/network/address-ranges.ts';
import { cgroups } from './checks/kernel/cgroups.ts';
import { clock } from './checks/clock.ts';
import { containerRuntime } from './checks/container-runtime.ts';
import { dataDirectory } from './checks/data-directory.ts';
import { firewalls } from './checks/network/firewalls.ts';
import { hostName } from './checks/host-name.ts';
import { kernel } from './checks/kernel/kernel.ts';
import { kernelModules } from './checks/kernel/kernel-modules.ts';
import { limits } from './checks/kernel/limits.ts';
import { memory } from './checks/memory.ts';
import { networkManagers } from './checks/network/network-managers.ts';
import { nodePortRange } from './checks/network/node-port-range.ts';
import { otherKubernetes } from './checks/other-kubernetes.ts';
import { packetFilter } from './checks/network/packet-filter.ts';
import { packetPolicies } from './checks/network/packet-policies.ts';
import { ports } from './checks/network/ports.ts';
import { privileges } from './checks/privileges.ts';
import { programVersions } from './checks/program-versions.ts';
import { programs } from './checks/programs.ts';
import { resolvers } from './checks/network/resolvers.ts';
import { reversePath } from './checks/network/reverse-path.ts';
import { selinux } from './checks/kernel/selinux.ts';
import { swap } from './checks/kernel/swap.ts';
import { userNamespaces } from './checks/kernel/user-namespaces.ts';

/** All checks, in the order in which they are shown. */
export const checks: readonly Check[] = [
  ...[privileges, kernel, kernelModules, cgroups, programs, programVersions, containerRuntime, packetFilter],
  ...[ports, nodePortRange, dataDirectory, memory, swap, limits, userNamespaces],
  ...[hostName, clock, resolvers],
  ...[addressRanges, otherKubernetes, firewalls, packetPolicies, reversePath, networkManagers, selinux],
];
