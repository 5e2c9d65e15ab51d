import { allContainers } from '../../../api/semantics/pods/pod-containers.ts';
import { podLogDirectory } from '../../node-paths.ts';
import { isRunning, readRuntimePod, restartCountOf } from '../runtime/runtime-pod.ts';
import { terminationMessageFile } from '../volumes/container-mounts.ts';
import type { PodContext } from './pod-state.ts';

/** Removes ended instances except the newest of each container, with their logs: `kubectl logs --previous` needs one. */
export async function collectDeadContainers({ pod, services }: PodContext): Promise<void> {
  const { runtime, files, paths } = services;
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const fresh = await readRuntimePod(runtime, uid);
  const logs = podLogDirectory(paths, { name, namespace, uid });
  for (const container of allContainers(pod.spec)) {
    const dead = fresh.containers.filter((instance) => instance.metadata.name === container.name && !isRunning(instance));
    for (const instance of dead.slice(1)) {
      await runtime.removeContainer(instance.id);
      await files.remove(`${logs}/${container.name}/${restartCountOf(instance)}.log`);
      await files.remove(terminationMessageFile(paths, uid, container.name, restartCountOf(instance)));
    }
  }
}
