import { CRIError, isCRINotFound } from '../../cri/cri-error.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';

/**
 * Removes all containers and sandboxes of a Pod; what still runs is killed. What is gone already is fine.
 *
 * A runtime whose caller was killed in the middle of a start may hold a container for ended whose first process waits to
 * be let go on: it then neither stops nor removes it. `endProcesses`, which kills what is left in the Pod's cgroups, is
 * called where a removal is refused so; the error is thrown all the same, for the runtime has to see that end first.
 */
export async function removeFromRuntime(
  runtime: Pick<ContainerRuntime, 'removeContainer' | 'stopPodSandbox' | 'removePodSandbox'>,
  { containers, sandboxes }: Readonly<Record<'containers' | 'sandboxes', readonly { readonly id: string }[]>>,
  endProcesses: () => Promise<void>,
): Promise<void> {
  const ignoreGone = (error: unknown) => {
    if (!isCRINotFound(error)) throw error;
  };
  for (const { id } of containers) {
    try {
      await runtime.removeContainer(id).catch(ignoreGone);
    } catch (error) {
      if (error instanceof CRIError && error.code === 'FailedPrecondition') await endProcesses();
      throw error;
    }
  }
  for (const { id } of sandboxes) {
    await runtime.stopPodSandbox(id).catch(ignoreGone);
    await runtime.removePodSandbox(id).catch(ignoreGone);
  }
}
