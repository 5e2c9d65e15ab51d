import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { CgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { Cgroups } from '../../linux/cgroups/cgroups.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { NodePaths } from '../../node-paths.ts';
import { removeFromRuntime } from '../pods/remove-from-runtime.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import { isRunning, readRuntimePod } from '../runtime/runtime-pod.ts';

export interface LeftoverDependencies {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly files: HostFiles;
  readonly cgroups: Cgroups;
  readonly paths: NodePaths;
  readonly logger: Logger;
  readonly cgroupNames: CgroupNames;
  readonly isKnown: (podUID: string) => boolean;
  /** Asks the API itself, no cache, for the uids of all Pods that are bound to this node. */
  readonly listBoundPods: () => Promise<ReadonlySet<string>>;
  /** Removes the Pod's volumes and its folder; fails while the driver of a volume is not there. */
  readonly tearDownVolumes: (podUID: string) => Promise<void>;
}

/** A Pod leaves the API before its containers only by a forced deletion: its containers get the kubelet's minimum grace period. */
const graceSeconds = 2;

/**
 * Stops and clears away Pods that were deleted while no agent ran: containers, volumes, logs and cgroups without a Pod. The
 * API is asked before anything of a Pod is touched: the cache may lag behind. Not complete where something was in the way. A Pod is this node's if its runtime or its folder of Pods says so: cgroups may
 * be those of other nodes on the machine.
 */
export async function removeLeftovers(dependencies: LeftoverDependencies): Promise<{ readonly isComplete: boolean }> {
  const { runtime, files, paths, logger, isKnown } = dependencies;
  const inRuntime = (await runtime.listPodSandboxes()).map(({ labels }) => labels[runtimeLabels.podUID] ?? '');
  const found = [...inRuntime, ...(await files.names(paths.pods))];
  const unknown = new Set(found.filter((uid) => uid !== '' && !isKnown(uid)));
  const logs = (await files.names(paths.podLogs)).filter((name) => !isKnown(uidOfLogs(name)));
  if (unknown.size + logs.length === 0) return { isComplete: true };
  const bound = await dependencies.listBoundPods();
  let isComplete = true;
  await Promise.all(
    [...unknown].map(async (uid) => {
      if (bound.has(uid) || isKnown(uid)) {
        isComplete = false;
        logger.warn('a Pod of the runtime is in the API, but not known here yet: it is left alone', { uid });
        return;
      }
      try {
        await removePod(dependencies, uid);
        logger.info('removed a Pod that was deleted while no agent ran', { uid });
      } catch (error) {
        // Drivers of volumes may be Pods themselves that are only starting.
        isComplete = false;
        logger.error('a Pod that was deleted while no agent ran cannot be removed', { uid, error });
      }
    }),
  );
  for (const name of logs) {
    const uid = uidOfLogs(name);
    if (!bound.has(uid) && !isKnown(uid)) await files.remove(`${paths.podLogs}/${name}`);
  }
  return { isComplete };
}

/** Folders of logs are called namespace_name_uid. */
function uidOfLogs(name: string): string {
  return name.slice(name.lastIndexOf('_') + 1);
}

async function removePod({ runtime, cgroups, cgroupNames, tearDownVolumes, logger }: LeftoverDependencies, uid: string): Promise<void> {
  const kill = async (name: string, reason: string) => {
    logger.warn('kills the processes of a cgroup', { cgroup: name, uid, reason });
    await cgroups.kill(name);
  };
  const runtimePod = await readRuntimePod(runtime, uid);
  const alive = runtimePod.containers.filter(isRunning);
  await Promise.all(alive.map(({ id }) => runtime.stopContainer(id, graceSeconds)));
  await removeFromRuntime(runtime, runtimePod, async () => {
    for (const name of cgroupNames.candidates(uid)) await kill(name, 'the runtime can neither stop nor remove its container');
  });
  for (const name of cgroupNames.candidates(uid)) {
    if (await cgroups.remove(name)) continue;
    await kill(name, 'the Pod is deleted, its containers have been stopped and removed, and processes are left');
    if (!(await cgroups.remove(name))) throw new Error(`processes are left in ${name}`);
  }
  await tearDownVolumes(uid);
}
