import { isRestartableInitContainer } from '../../../../api/semantics/pods/pod-containers.ts';
import { isRunning, type RuntimeContainer } from '../../runtime/runtime-pod.ts';
import { killContainer } from '../kill-container.ts';
import type { PodContext, PodState } from '../pod-state.ts';

/**
 * Stops all containers: main ones at once, then sidecars one after another in the opposite order of their start
 * (KEP-753), and the sandbox last. A shorter grace period that comes in the middle takes effect at once.
 */
export const terminating: PodState = async (context) => {
  const { runtimePod, record, services, probes } = context;
  probes.onlyReadiness();
  const graceSeconds = record.termination?.graceSeconds ?? 30;
  const alive = runtimePod.containers.filter(isRunning);
  if (alive.length > 0) {
    if (!record.stopping || graceSeconds < record.stopping.graceSeconds) {
      const done = stopAll(context, alive, graceSeconds, record.stopping !== undefined).then(
        () => finish(context),
        (error: unknown) => {
          services.logger.warn('containers could not be stopped', { pod: context.pod.metadata.name, error });
          finish(context);
        },
      );
      record.stopping = { graceSeconds, done };
    }
    return { to: 'terminating' };
  }
  if (record.stopping) await record.stopping.done;
  for (const { id } of runtimePod.sandboxes) await services.runtime.stopPodSandbox(id);
  services.releasePod(context.pod.metadata.uid ?? '');
  return { to: 'terminated', againAfterMs: 0 };
};

function finish({ record, wake }: PodContext): void {
  record.stopping = undefined;
  wake();
}

async function stopAll(context: PodContext, alive: readonly RuntimeContainer[], graceSeconds: number, isAgain: boolean): Promise<void> {
  const { pod, services } = context;
  const sidecarNames = (pod.spec?.initContainers ?? []).filter(isRestartableInitContainer).map(({ name }) => name);
  const isSidecar = (container: RuntimeContainer) => sidecarNames.includes(container.metadata.name);
  const deadlineMs = services.clock.monotonicMs() + graceSeconds * 1000;
  const stop = ({ id, metadata }: RuntimeContainer) => {
    const left = Math.max(0, (deadlineMs - services.clock.monotonicMs()) / 1000);
    // The first attempt still waits for its hook; a second one only shortens the time until SIGKILL.
    if (isAgain) return services.runtime.stopContainer(id, Math.max(2, Math.ceil(left)));
    return killContainer(context, { id, name: metadata.name, message: `Stopping container ${metadata.name}`, graceSeconds: left });
  };
  await Promise.all(alive.filter((container) => !isSidecar(container)).map(stop));
  for (const name of sidecarNames.reverse()) await Promise.all(alive.filter((container) => container.metadata.name === name).map(stop));
}
