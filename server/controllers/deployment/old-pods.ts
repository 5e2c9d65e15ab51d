import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { ReplicaSet } from '../../../api/types/apps-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

/**
 * Whether Pods of an old template may still run, during which Recreate starts no others. The ReplicaSet's status counts as well:
 * the cache of Pods may be ahead of it, and the Deployment's status, which is its sum, must not show old Pods beside new ones.
 */
export function hasOldPods(set: DeepReadonly<ReplicaSet>, pods: readonly DeepReadonly<Pod>[]): boolean {
  return (set.status?.replicas ?? 0) > 0 || pods.some((pod) => !isPodFinished(pod));
}
