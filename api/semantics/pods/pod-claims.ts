import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { findController } from '../../meta/owner-references.ts';
import type { PersistentVolumeClaim, Pod, Volume } from '../../types/core-v1.ts';

/** A volume of a Pod that is kept by a claim. */
export interface ClaimedVolume {
  readonly volume: DeepReadonly<Volume>;
  readonly claimName: string;
  /** The claim was made for the Pod and is deleted with it. */
  readonly isEphemeral: boolean;
}

export function claimedVolumes(pod: DeepReadonly<Pod>): ClaimedVolume[] {
  const claimed: ClaimedVolume[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const { persistentVolumeClaim: named, ephemeral } = volume;
    if (named) claimed.push({ volume, claimName: named.claimName, isEphemeral: false });
    else if (ephemeral) claimed.push({ volume, claimName: ephemeralClaimName(pod, volume.name), isEphemeral: true });
  }
  return claimed;
}

export function usesClaim(pod: DeepReadonly<Pod>, claimName: string): boolean {
  return claimedVolumes(pod).some((claimed) => claimed.claimName === claimName);
}

function ephemeralClaimName(pod: DeepReadonly<Pod>, volumeName: string): string {
  return `${pod.metadata.name}-${volumeName}`;
}

/** Whether the claim was made for this Pod, and not by someone who happened to choose the same name. */
export function isClaimOfPod(claim: DeepReadonly<PersistentVolumeClaim>, pod: DeepReadonly<Pod>): boolean {
  return claim.metadata.namespace === pod.metadata.namespace && findController(claim)?.uid === pod.metadata.uid;
}
