import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { Cgroups } from '../linux/cgroups.ts';
import type { HostFiles } from '../linux/host-files.ts';
import type { NodePaths } from './node-paths.ts';
import { removeFromRuntime } from './pod-workers/remove-from-runtime.ts';
import { runtimeAnnotations, runtimeLabels } from './runtime/labels.ts';
import { isRunning, readRuntimePod } from './runtime/runtime-pod.ts';

export interface LeftoverDependencies {
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly files: HostFiles;
  readonly cgroups: Cgroups;
  readonly paths: NodePaths;
  readonly logger: Logger;
  readonly cgroupRoot: string;
  readonly isKnown: (podUID: string) => boolean;
  /** Clears away the Pod's volumes and its folder; fails while the driver of one is not there. */
  readonly tearDownVolumes: (podUID: string) => Promise<void>;
}

const defaultGraceSeconds = 30;

/**
 * Stops and clears away Pods that were deleted while no agent ran: containers, volumes, logs and cgroups without a Pod. Not
 * complete where something was in the way. A Pod is this node's if its runtime or its folder of Pods says so: cgroups may
 * be those of other nodes on the machine.
 */
export async function removeLeftovers(dependencies: LeftoverDependencies): Promise<{ readonly isComplete: boolean }> {
  const { runtime, files, paths, logger, isKnown } = dependencies;
  const inRuntime = (await runtime.listPodSandboxes()).map(({ labels }) => labels[runtimeLabels.podUID] ?? '');
  const found = [...inRuntime, ...(await files.names(paths.pods))];
  const unknown = new Set(found.filter((uid) => uid !== '' && !isKnown(uid)));
  let isComplete = true;
  await Promise.all(
    [...unknown].map(async (uid) => {
      try {
        await removePod(dependencies, uid);
        logger.info('removed what was left of a deleted Pod', { uid });
      } catch (error) {
        // Drivers of volumes may be Pods themselves that are only starting.
        isComplete = false;
        logger.error('what was left of a deleted Pod cannot be removed', { uid, error });
      }
    }),
  );
  for (const name of await files.names(paths.podLogs)) {
    if (!isKnown(name.slice(name.lastIndexOf('_') + 1))) await files.remove(`${paths.podLogs}/${name}`);
  }
  return { isComplete };
}

/** Pods are in one of three folders, by how well their resources are warranted. */
const cgroupFolders = ['', '/burstable', '/besteffort'];

async function removePod({ runtime, cgroups, cgroupRoot, tearDownVolumes }: LeftoverDependencies, uid: string): Promise<void> {
  const runtimePod = await readRuntimePod(runtime, uid);
  const alive = runtimePod.containers.filter(isRunning);
  await Promise.all(
    alive.map(({ id, annotations }) =>
      runtime.stopContainer(id, Number(annotations[runtimeAnnotations.gracePeriod] ?? defaultGraceSeconds)),
    ),
  );
  await removeFromRuntime(runtime, runtimePod, async () => {
    for (const folder of cgroupFolders) await cgroups.kill(`${cgroupRoot}${folder}/pod${uid}`);
  });
  for (const folder of cgroupFolders) {
    const name = `${cgroupRoot}${folder}/pod${uid}`;
    if (await cgroups.remove(name)) continue;
    await cgroups.kill(name);
    if (!(await cgroups.remove(name))) throw new Error(`processes are left in ${name}`);
  }
  await tearDownVolumes(uid);
}
