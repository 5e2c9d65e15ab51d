import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { Cgroups } from '../linux/cgroups.ts';
import type { HostFiles } from '../linux/host-files.ts';
import type { NodePaths } from './node-paths.ts';
import { removeFromRuntime } from './pod-workers/remove-from-runtime.ts';
import { runtimeAnnotations, runtimeLabels } from './runtime/labels.ts';
import { isRunning, readRuntimePod } from './runtime/runtime-pod.ts';

export interface LeftoverDependencies {
  readonly runtime: ContainerRuntime;
  readonly files: HostFiles;
  readonly cgroups: Cgroups;
  readonly paths: NodePaths;
  readonly logger: Logger;
  readonly cgroupRoot: string;
  readonly isKnown: (podUID: string) => boolean;
  /** Clears away the Pod's volumes and its folder; fails while the driver of one is not there. */
  readonly tearDownVolumes: (podUID: string) => Promise<void>;
  readonly clock: Clock;
}

const defaultGraceSeconds = 30;
const retryMs = 5000;

/** Stops and clears away Pods that were deleted while no agent ran: containers, volumes, logs and cgroups without a Pod. */
export async function removeLeftovers(dependencies: LeftoverDependencies, signal: AbortSignal): Promise<void> {
  const { runtime, files, paths, logger, isKnown } = dependencies;
  const inRuntime = (await runtime.listPodSandboxes()).map(({ labels }) => labels[runtimeLabels.podUID] ?? '');
  const unknown = new Set([...inRuntime, ...(await files.names(paths.pods))].filter((uid) => uid !== '' && !isKnown(uid)));
  const remove = async (uid: string) => {
    // Drivers of volumes may be Pods themselves that are only starting.
    while (!signal.aborted) {
      try {
        await removePod(dependencies, uid);
        return logger.info('removed what was left of a deleted Pod', { uid });
      } catch (error) {
        logger.error('what was left of a deleted Pod cannot be removed', { uid, error });
      }
      await sleep(dependencies.clock, retryMs, signal).catch(() => undefined); // aborted: seen by the loop
    }
  };
  await Promise.all([...unknown].map(remove));
  for (const name of await files.names(paths.podLogs)) {
    if (!isKnown(name.slice(name.lastIndexOf('_') + 1))) await files.remove(`${paths.podLogs}/${name}`);
  }
}

async function removePod({ runtime, cgroups, cgroupRoot, tearDownVolumes }: LeftoverDependencies, uid: string): Promise<void> {
  const runtimePod = await readRuntimePod(runtime, uid);
  const alive = runtimePod.containers.filter(isRunning);
  await Promise.all(
    alive.map(({ id, annotations }) =>
      runtime.stopContainer(id, Number(annotations[runtimeAnnotations.gracePeriod] ?? defaultGraceSeconds)),
    ),
  );
  await removeFromRuntime(runtime, runtimePod);
  await tearDownVolumes(uid);
  for (const folder of ['', '/burstable', '/besteffort']) await cgroups.remove(`${cgroupRoot}${folder}/pod${uid}`);
}
