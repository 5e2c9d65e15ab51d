import type { CheckTopic } from './check.ts';
import { joining } from './joining.ts';
import { limits } from './limits.ts';
import { network } from './network.ts';
import { preflight } from './preflight.ts';
import { probes } from './probes.ts';
import { protection } from './protection.ts';
import { removal } from './removal.ts';
import { resources } from './resources.ts';
import { robustness } from './robustness.ts';
import { security } from './security.ts';
import { service } from './service.ts';
import { hostGateway, overlay } from './several-machines.ts';
import { start } from './start.ts';
import { statistics } from './statistics.ts';
import { systemdCgroups } from './systemd-cgroups.ts';

/** The checks of a single machine, in the order in which they run. */
export const singleMachineChecks: readonly CheckTopic[] = [
  preflight,
  start,
  protection,
  resources,
  statistics,
  probes,
  security,
  network,
  robustness,
  limits,
  service,
  removal,
  systemdCgroups,
];

/** The checks of three machines that are one cluster. */
export const severalMachinesChecks: readonly CheckTopic[] = [joining, hostGateway, overlay];
