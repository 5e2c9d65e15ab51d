import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { claimedVolumes, isClaimOfPod } from '../../../api/semantics/pods/pod-claims.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';

/**
 * Whether the Pod keeps the claim from going. Pods without a node do not: they will not start with a claim that is being
 * deleted. A Pod that is only held by finalizers does not keep the claims made for it, or the two would wait for each other.
 */
export function keepsClaim(pod: DeepReadonly<Pod>, claim: DeepReadonly<PersistentVolumeClaim>): boolean {
  if (!pod.spec?.nodeName || pod.metadata.namespace !== claim.metadata.namespace) return false;
  return claimedVolumes(pod).some(
    ({ claimName, isEphemeral }) => claimName === claim.metadata.name && (!isEphemeral || (!isShutDown(pod) && isClaimOfPod(claim, pod))),
  );
}

function isShutDown({ metadata }: DeepReadonly<Pod>): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
}
