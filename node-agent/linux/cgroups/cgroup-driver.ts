import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { type CgroupDriver, cgroupDrivers, type CgroupNames, cgroupNames } from './cgroup-names.ts';
import { type Cgroups, createCgroups } from './cgroups.ts';
import { createHostFiles } from '../files/host-files.ts';
import { createSlices, hasSystemBus, isBootedBySystemd } from './systemd-slices.ts';

export interface CgroupDriverFacts {
  /** By `--cgroup-driver`. */
  readonly asked: CgroupDriver | undefined;
  /** The driver that a foreign runtime reports. */
  readonly ofRuntime: CgroupDriver | undefined;
  /** The drivers that made the cgroups of Pods that run now. */
  readonly inUse: readonly CgroupDriver[];
  /** The driver of the node's last start. */
  readonly last: CgroupDriver | undefined;
  readonly cgroupVersion: 1 | 2;
  readonly isBootedBySystemd: boolean;
  /** Whether programs can ask systemd over the system bus. */
  readonly hasSystemBus: boolean;
}

type CgroupDriverPlan = { readonly driver: CgroupDriver } | { readonly problem: string };

/**
 * The driver of the node's cgroups: what the runtime says, as kubelets do (KEP-4033), else what is asked for, else that of the
 * Pods that run and of the last start, else systemd where systemd manages the cgroups of the machine (kubeadm's default).
 * Containers do not move from one driver's cgroups to the other's.
 */
export function planCgroupDriver(facts: CgroupDriverFacts): CgroupDriverPlan {
  const { asked, ofRuntime, inUse, last } = facts;
  const [present] = inUse;
  const driver = ofRuntime ?? asked ?? present ?? last ?? usualDriver(facts);
  if (driver === 'systemd' && !facts.isBootedBySystemd)
    return { problem: 'the cgroup driver systemd needs systemd as the first process of the machine: use --cgroup-driver=cgroupfs' };
  if (driver === 'systemd' && facts.cgroupVersion === 1)
    return { problem: 'the cgroup driver systemd needs cgroups of version 2: use --cgroup-driver=cgroupfs' };
  const other = inUse.find((one) => one !== driver);
  if (other === undefined) return { driver };
  const remedy = ofRuntime === undefined ? `, or start the node with --cgroup-driver=${other}` : '';
  return {
    problem: `Pods of this node run in cgroups of the driver ${other}, and the node is to use ${driver}: drain the node and clear it away ('kubets reset') first${remedy}`,
  };
}

/** Two managers of one hierarchy disagree about its limits under pressure, so systemd is used on machines that it manages. */
function usualDriver({ isBootedBySystemd: isBooted, hasSystemBus, cgroupVersion }: CgroupDriverFacts): CgroupDriver {
  return isBooted && hasSystemBus && cgroupVersion === 2 ? 'systemd' : 'cgroupfs';
}

interface NodeCgroupSettings {
  readonly cgroupRoot: string;
  readonly cgroupDriver?: CgroupDriver;
  readonly runtimeEndpoint?: string;
}

interface CgroupDriverDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runtime: Pick<ContainerRuntime, 'cgroupDriver'>;
  /** The folder with one folder per Pod uid, which belong to this node. */
  readonly podsDirectory: string;
  /** The directory of the node, in which the driver is kept. */
  readonly directory: string;
}

interface NodeCgroupParts {
  readonly names: CgroupNames;
  readonly cgroups: Cgroups;
  /** Whether the kernel limits the swap of cgroups. */
  readonly limitsSwap: boolean;
  readonly limitsHugePages: boolean;
}

/** Decides for a driver, and remembers it for the clearing away of the node. Throws where it cannot be used. */
export async function prepareCgroups(
  { cgroupRoot, cgroupDriver: asked, runtimeEndpoint }: NodeCgroupSettings,
  dependencies: CgroupDriverDependencies,
  signal: AbortSignal,
): Promise<NodeCgroupParts> {
  const { clock, podsDirectory, directory } = dependencies;
  const files = createHostFiles();
  const uids = await files.names(podsDirectory);
  const present = await createCgroups();
  const inUse: CgroupDriver[] = [];
  for (const driver of cgroupDrivers) {
    const candidates = uids.flatMap(cgroupNames(driver, cgroupRoot).candidates);
    const found = await Promise.all(candidates.map((name) => present.exists(name, { memoryBytes: 0 })));
    if (found.some(Boolean)) inUse.push(driver);
  }
  const last = await rememberedDriver(directory);
  const plan = planCgroupDriver({
    ...{ asked, inUse, cgroupVersion: present.version, last },
    ofRuntime: runtimeEndpoint === undefined ? undefined : await askRuntime(dependencies, signal),
    isBootedBySystemd: await isBootedBySystemd(),
    hasSystemBus: await hasSystemBus(),
  });
  if ('problem' in plan) throw new Error(plan.problem);
  // On a full disk, which the agent is to clear, nothing new can be written.
  if (plan.driver !== last) await files.write(driverFile(directory), plan.driver);
  const names = cgroupNames(plan.driver, cgroupRoot);
  const cgroups = plan.driver === 'systemd' ? await createCgroups(createSlices(clock)) : present;
  await cgroups.ensure(names.root, {});
  return { names, cgroups, limitsSwap: await cgroups.limitsSwap(names.root), limitsHugePages: await cgroups.limitsHugePages() };
}

function driverFile(directory: string): string {
  return `${directory}/cgroup-driver`;
}

/** The driver of the node's last start. */
export async function rememberedDriver(directory: string): Promise<CgroupDriver | undefined> {
  const text = await createHostFiles().findText(driverFile(directory));
  return cgroupDrivers.find((driver) => driver === text);
}

const patienceMs = 30_000;
const retryMs = 500;

/** A runtime may start later than the agent; one that does not report its driver counts as using the configured one. */
async function askRuntime({ runtime, clock, logger }: CgroupDriverDependencies, signal: AbortSignal): Promise<CgroupDriver | undefined> {
  const deadline = clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      const driver = await runtime.cgroupDriver();
      return driver === undefined ? undefined : driver === 'SYSTEMD' ? 'systemd' : 'cgroupfs';
    } catch (error) {
      if (signal.aborted || clock.monotonicMs() > deadline) {
        logger.warn('the container runtime does not tell its cgroup driver', { error });
        return undefined;
      }
      await sleep(clock, retryMs, signal);
    }
  }
}
