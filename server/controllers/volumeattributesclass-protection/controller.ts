import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { volumeAttributesClasses } from '../../../api/resources/storage/v1/volume-attributes-class.ts';
import { attributesClassProtectionFinalizer } from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import { defineController, done, watching } from '../runtime/define-controller.ts';
import { protect } from '../runtime/protection.ts';
import { rules } from './rbac.ts';

type User = DeepReadonly<PersistentVolumeClaim | PersistentVolume>;

/** Keeps a VolumeAttributesClass while a claim or volume has it, is to have it, or had it last. */
export const volumeAttributesClassProtection = defineController({
  name: 'volumeattributesclass-protection-controller',
  account: 'volumeattributesclass-protection-controller',
  for: volumeAttributesClasses,
  watches: [watching(persistentVolumeClaims, classKeys), watching(persistentVolumes, classKeys)],
  rules,
  async reconcile(key, { lister, client }) {
    const found = lister(volumeAttributesClasses).find(key);
    if (found === undefined) return done;
    await protect(client, volumeAttributesClasses, found, attributesClassProtectionFinalizer, async () => {
      const uses = (user: User) => classesOf(user).includes(key.name);
      if (lister(persistentVolumeClaims).list().some(uses) || lister(persistentVolumes).list().some(uses)) return true;
      // The caches may be behind.
      const [claims, volumes] = await Promise.all([client(persistentVolumeClaims).list(), client(persistentVolumes).list()]);
      return claims.items.some(uses) || volumes.items.some(uses);
    });
    return done;
  },
});

function classKeys(user: User) {
  return classesOf(user).map((name) => ({ namespace: '', name }));
}

function classesOf({ spec, status }: User): string[] {
  const { currentVolumeAttributesClassName: current, modifyVolumeStatus: modifying } = (status ?? {}) as Partial<
    NonNullable<PersistentVolumeClaim['status']>
  >;
  return [spec?.volumeAttributesClassName, current, modifying?.targetVolumeAttributesClassName].filter((name) => name !== undefined);
}
