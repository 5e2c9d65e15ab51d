import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { compareQuantities } from '../../../api/base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../api/base/quantity/quantity.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import type { PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import { defineController, done } from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;

/**
 * Reports to the user of a claim that waits for a larger volume that the driver's own resizer has to enlarge it: this controller expands no
 * kind of volume.
 */
export const persistentVolumeExpander = defineController({
  name: 'persistentvolume-expander-controller',
  account: 'expand-controller',
  component: 'volume_expand',
  for: persistentVolumeClaims,
  concerns: (claim, old) => compareQuantities(wantedBy(claim), wantedBy(old)) > 0,
  reads: [persistentVolumes],
  rules,
  async reconcile(key, { lister, events }) {
    const claim = lister(persistentVolumeClaims).find(key);
    if (claim?.status?.phase !== 'Bound' || compareQuantities(wantedBy(claim), sizeOf(claim)) <= 0) return done;
    const volume = lister(persistentVolumes).find({ namespace: '', name: claim.spec?.volumeName ?? '' });
    if (volume?.spec?.claimRef?.uid !== claim.metadata.uid) return done;
    // No controller can expand a volume without a CSI driver.
    const type = volume?.spec?.csi === undefined ? 'Warning' : 'Normal';
    events.event(
      referenceTo(persistentVolumeClaims, claim),
      type,
      'ExternalExpanding',
      'waiting for an external controller to expand this PVC',
    );
    return done;
  },
});

function wantedBy({ spec }: Claim) {
  return parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
}

function sizeOf({ status }: Claim) {
  return parseQuantity(status?.capacity?.['storage'] ?? '0');
}
