import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { ContainerStatus, Pod } from '../../../api/types/core-v1.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

interface PhaseInput {
  readonly pod: DeepReadonly<Pod>;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Decided elsewhere: all containers have ended and none will run again. */
  readonly isFinished: boolean;
  /** Decided elsewhere: an init container failed and the Pod does not restart. */
  readonly initFailed: boolean;
}

/** The phase that container statuses add up to. */
export function podPhase({ pod, initStatuses, statuses, isFinished, initFailed }: PhaseInput): PodPhase {
  if (initFailed) return 'Failed';
  const hasStarted = statuses.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated);
  const isInitializing = (pod.spec?.initContainers ?? []).some((container) => {
    const status = initStatuses.find(({ name }) => name === container.name);
    if (isRestartableInitContainer(container)) return status?.started !== true;
    return status?.state?.terminated?.exitCode !== 0;
  });
  if (isInitializing && !hasStarted) return 'Pending';
  if (isFinished) {
    return statuses.every(({ state }) => state?.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  const isWaiting = statuses.length === 0 || statuses.some(({ state, lastState }) => state?.waiting && !lastState?.terminated);
  return isWaiting ? 'Pending' : 'Running';
}
