import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { volumeProtectionFinalizer } from '../../../api/semantics/storage/volume-annotations.ts';
import { defineController, done } from '../runtime/define-controller.ts';
import { protect } from '../runtime/protection.ts';
import { rules } from './rbac.ts';

/** Keeps volumes while they are bound to claims. */
export const persistentVolumeProtection = defineController({
  name: 'persistentvolume-protection-controller',
  account: 'pv-protection-controller',
  for: persistentVolumes,
  rules,
  async reconcile(key, { lister, client }) {
    const volume = lister(persistentVolumes).find(key);
    if (volume === undefined) return done;
    await protect(client, persistentVolumes, volume, volumeProtectionFinalizer, async () => volume.status?.phase === 'Bound');
    return done;
  },
});
