import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

/** Whether the Pod comes from a manifest of the node and not from the API; its mirror in the API says the same of itself. */
export function isStaticPod({ metadata }: DeepReadonly<Pod>): boolean {
  return metadata.annotations?.['kubernetes.io/config.source'] === 'file';
}
