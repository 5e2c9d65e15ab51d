import type { MachineTestOptions } from '../options.ts';
import { cgroupfsDriver, systemdDriver } from './cgroup-drivers.ts';
import type { CheckTopic } from './check.ts';
import { cloudNetwork } from './machines/cloud-network.ts';
import { dualStack } from './machines/dual-stack.ts';
import { joining } from './machines/joining.ts';
import { limits } from './limits.ts';
import { network } from './network.ts';
import { nodeService } from './machines/node-service.ts';
import { preflight } from './preflight.ts';
import { probes } from './probes.ts';
import { protection } from './protection.ts';
import { removal } from './removal.ts';
import { resources } from './resources.ts';
import { robustness } from './robustness.ts';
import { security } from './security.ts';
import { service } from './service.ts';
import { hostGateway, overlay } from './machines/several-machines.ts';
import { start } from './start.ts';
import { statistics } from './statistics.ts';

/** The checks of a single machine, in the order in which they run. */
const singleMachineChecks: readonly CheckTopic[] = [
  preflight,
  start,
  protection,
  resources,
  systemdDriver,
  statistics,
  probes,
  security,
  network,
  robustness,
  limits,
  service,
  removal,
  cgroupfsDriver,
  dualStack,
];

/** The checks of three machines in one cluster. */
const severalMachinesChecks: readonly CheckTopic[] = [joining, hostGateway, overlay, nodeService];

/** The checks of a machine of the variant `cloud`: everything that its network can break. */
const cloudMachineChecks: readonly CheckTopic[] = [preflight, start, cloudNetwork, network, service, removal];

/** The checks that a run is of. */
export function checksOf({ machines, variant }: Pick<MachineTestOptions, 'machines' | 'variant'>): readonly CheckTopic[] {
  if (machines > 1) return severalMachinesChecks;
  return variant === 'cloud' ? cloudMachineChecks : singleMachineChecks;
}
