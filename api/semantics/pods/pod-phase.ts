import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Pod } from '../../types/core-v1.ts';

/** Whether all containers have stopped and will not be restarted: phase Succeeded or Failed. */
export function isPodFinished(pod: DeepReadonly<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Whether deletion has been asked for and the Pod still exists. */
export function isPodTerminating(pod: DeepReadonly<Pod>): boolean {
  return Boolean(pod.metadata.deletionTimestamp);
}

/** Whether the Pod counts towards its controller's replicas: it is neither finished nor being deleted. */
export function isPodActive(pod: DeepReadonly<Pod>): boolean {
  return !isPodFinished(pod) && !isPodTerminating(pod);
}

/** Whether the Pod is the mirror of a static Pod. */
export function isMirrorPod(pod: DeepReadonly<Pod>): boolean {
  return pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}
