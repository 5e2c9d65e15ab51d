import { isCRINotFound } from '../../cri/cri-error.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { RuntimePod } from '../runtime/runtime-pod.ts';

/** Removes all containers and sandboxes of a Pod; what still runs is killed. What is gone already is fine. */
export async function removeFromRuntime(runtime: ContainerRuntime, { containers, sandboxes }: RuntimePod): Promise<void> {
  const ignoreGone = (error: unknown) => {
    if (!isCRINotFound(error)) throw error;
  };
  for (const { id } of containers) await runtime.removeContainer(id).catch(ignoreGone);
  for (const { id } of sandboxes) {
    await runtime.stopPodSandbox(id).catch(ignoreGone);
    await runtime.removePodSandbox(id).catch(ignoreGone);
  }
}
