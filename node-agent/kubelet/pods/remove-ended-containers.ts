import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { type NodePaths, podLogDirectory } from '../../node-paths.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import type { PodWorker } from './pod-worker.ts';

interface EndedContainersDependencies {
  readonly runtime: ContainerRuntime;
  readonly files: HostFiles;
  readonly paths: NodePaths;
}

/** Removes the containers and logs of Pods that have ended and are not deleted yet. Their status keeps the result. */
export async function removeEndedContainers(
  { runtime, files, paths }: EndedContainersDependencies,
  workers: readonly Pick<PodWorker, 'pod' | 'state'>[],
): Promise<void> {
  for (const worker of workers) {
    if (worker.state() !== 'terminated') continue;
    const { name = '', namespace = '', uid = '' } = worker.pod().metadata;
    for (const { id, state } of await runtime.listContainers({ [runtimeLabels.podUID]: uid }))
      if (state !== 'CONTAINER_RUNNING') await runtime.removeContainer(id);
    await files.remove(podLogDirectory(paths, { name, namespace, uid }));
  }
}
