import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { hasSameMode } from '../../../api/semantics/storage/match-volume.ts';
import { provisionedByAnnotation } from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { EventText } from './claim-plan.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** The next step for a volume. */
type VolumePlan =
  | { readonly do: 'setPhase'; readonly phase: 'Available' | 'Bound' }
  /** Its claim is gone, or has another volume: it is Released and then treated by its reclaim policy. */
  | { readonly do: 'release' }
  /** The claim has to finish the binding. */
  | { readonly do: 'leaveToClaim' }
  | { readonly do: 'reportModes' }
  /** The claim has another volume: the reservation is taken back. */
  | { readonly do: 'unbind' };

/** Decides about one volume; `claim` is the claim of its claimRef, by uid. Pure. */
export function planVolume(volume: Volume, claim: Claim | undefined): VolumePlan {
  const reference = volume.spec?.claimRef;
  if (reference === undefined || !reference.uid) return { do: 'setPhase', phase: 'Available' };
  if (claim === undefined) return { do: 'release' };
  const bound = claim.spec?.volumeName ?? '';
  if (bound === '') return { do: hasSameMode(volume, claim) ? 'leaveToClaim' : 'reportModes' };
  if (bound === volume.metadata.name) return { do: 'setPhase', phase: 'Bound' };
  const isMadeForClaim = Object.hasOwn(volume.metadata.annotations ?? {}, provisionedByAnnotation);
  return { do: isMadeForClaim && volume.spec?.persistentVolumeReclaimPolicy === 'Delete' ? 'release' : 'unbind' };
}

/** Why a released volume fails to be reclaimed; undefined: nothing has to be done, or its provisioner does it. */
export function findReclaimFailure({ metadata, spec }: Volume): EventText | undefined {
  const fail = (reason: string, message: string): EventText => ({ type: 'Warning', reason, message });
  switch (spec?.persistentVolumeReclaimPolicy) {
    case 'Retain':
      return undefined;
    case 'Recycle':
      return fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    case 'Delete': {
      const provisioner = metadata.annotations?.[provisionedByAnnotation] ?? '';
      if (provisioner !== '') {
        if (!provisioner.startsWith('kubernetes.io/')) return undefined;
        return fail('VolumeFailedDelete', `no volume plugin matched name: ${provisioner}`);
      }
      if (spec.csi !== undefined) return undefined;
      const problem = 'no deletable volume plugin matched';
      return fail('VolumeFailedDelete', `error getting deleter volume plugin for volume "${metadata.name}": ${problem}`);
    }
    default:
      return fail('VolumeUnknownReclaimPolicy', 'Volume has unrecognized PersistentVolumeReclaimPolicy');
  }
}
