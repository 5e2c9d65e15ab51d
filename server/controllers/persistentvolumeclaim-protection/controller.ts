import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { claimedVolumes } from '../../../api/semantics/pods/pod-claims.ts';
import { claimProtectionFinalizer } from '../../../api/semantics/storage/volume-annotations.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { defineController, done, watching } from '../runtime/define-controller.ts';
import { protect } from '../runtime/protection.ts';
import { keepsClaim } from './keeps-claim.ts';
import { rules } from './rbac.ts';

/** Keeps claims while Pods use them. */
export const persistentVolumeClaimProtection = defineController({
  name: 'persistentvolumeclaim-protection-controller',
  account: 'pvc-protection-controller',
  for: persistentVolumeClaims,
  watches: [watching(pods, claimsOf, (pod, old) => pod.metadata.deletionGracePeriodSeconds !== old.metadata.deletionGracePeriodSeconds)],
  rules,
  async reconcile(key, { lister, client }) {
    const claim = lister(persistentVolumeClaims).find(key);
    if (claim === undefined) return done;
    await protect(client, persistentVolumeClaims, claim, claimProtectionFinalizer, async () => {
      const keeps = (pod: DeepReadonly<Pod>) => keepsClaim(pod, claim);
      if (lister(pods).list({ namespace: key.namespace }).some(keeps)) return true;
      // The cache may not know the newest Pod yet.
      return (await client(pods).list({ namespace: key.namespace })).items.some(keeps);
    });
    return done;
  },
});

function claimsOf(pod: DeepReadonly<Pod>) {
  return claimedVolumes(pod).map(({ claimName: name }) => ({ namespace: pod.metadata.namespace ?? '', name }));
}
