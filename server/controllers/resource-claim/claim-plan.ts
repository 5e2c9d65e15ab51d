import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findController } from '../../../api/meta/owner-references.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import { claimFinalizer } from '../../../api/semantics/devices/resource-claims.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../../api/types/resource-v1.ts';

type Claim = DeepReadonly<ResourceClaim>;

/** The next steps for a claim. */
interface ClaimPlan {
  /** The consumers that still exist, when `status.reservedFor` lists more. */
  readonly reservedFor?: readonly DeepReadonly<ResourceClaimConsumerReference>[];
  /** Whether its devices are free, since it has no consumer any more. */
  readonly deallocates: boolean;
  /** Whether it can be deleted. */
  readonly losesFinalizer: boolean;
}

/** `users`: those of its consumers that may still use it. */
export function planClaim(claim: Claim, users: readonly DeepReadonly<ResourceClaimConsumerReference>[]): ClaimPlan {
  const { allocation, reservedFor = [] } = claim.status ?? {};
  const isProtected = claim.metadata.finalizers?.includes(claimFinalizer) ?? false;
  const isGoing = claim.metadata.deletionTimestamp !== undefined;
  const isLeft = users.length < reservedFor.length;
  const isUnused = users.length === 0 && isProtected && (isLeft || isGoing);
  return {
    ...(isLeft ? { reservedFor: users } : {}),
    deallocates: isUnused && allocation !== undefined,
    losesFinalizer: isUnused,
  };
}

/** Whether it is certain that none of its containers run or will. */
export function isPodDone(pod: DeepReadonly<Pod>): boolean {
  return isPodFinished(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec?.nodeName);
}

/** Whether the claim was made for a Pod that no longer needs it. */
export function isLeftOver(claim: Claim, findPod: (name: string) => DeepReadonly<Pod> | undefined): boolean {
  const owner = findController(claim);
  if (owner?.kind !== 'Pod' || owner.apiVersion !== 'v1') return false;
  // A Pod that is not in the cache may be there in a moment; if it is gone, the garbage collector deletes the claim.
  const pod = findPod(owner.name);
  return pod !== undefined && (pod.metadata.uid !== owner.uid || isPodDone(pod));
}
