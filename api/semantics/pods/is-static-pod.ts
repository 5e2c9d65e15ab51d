import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Pod } from '../../types/core-v1.ts';

/** The annotations that mark static Pods and their mirrors in the API. */
export const staticAnnotations = {
  source: 'kubernetes.io/config.source',
  seen: 'kubernetes.io/config.seen',
  hash: 'kubernetes.io/config.hash',
  mirror: 'kubernetes.io/config.mirror',
} as const;

/** Whether the Pod comes from a manifest of the node and not from the API. Its mirror in the API has the same annotation. */
export function isStaticPod({ metadata }: DeepReadonly<Pod>): boolean {
  return metadata.annotations?.[staticAnnotations.source] === 'file';
}
