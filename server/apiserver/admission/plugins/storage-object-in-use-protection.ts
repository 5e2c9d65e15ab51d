import type { KubeObject } from '../../../../api/meta/object.ts';
import { persistentVolumeClaims } from '../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../../api/resources/core/v1/persistent-volume.ts';
import { volumeAttributesClasses } from '../../../../api/resources/storage/v1/volume-attributes-class.ts';
import {
  attributesClassProtectionFinalizer,
  claimProtectionFinalizer,
  volumeProtectionFinalizer,
} from '../../../../api/semantics/storage/volume-annotations.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

/** Gives new claims and volumes the finalizer that keeps them while they are used; a controller takes it off. */
export const storageObjectInUseProtection = defineAdmissionPlugin({
  name: 'StorageObjectInUseProtection',
  operations: ['CREATE'],
  resources: [persistentVolumeClaims, persistentVolumes, volumeAttributesClasses],
  async admit(request) {
    addFinalizer(newObject(request, persistentVolumeClaims), claimProtectionFinalizer);
    addFinalizer(newObject(request, persistentVolumes), volumeProtectionFinalizer);
    addFinalizer(newObject(request, volumeAttributesClasses), attributesClassProtectionFinalizer);
  },
});

function addFinalizer(object: KubeObject | undefined, finalizer: string): void {
  if (object === undefined || object.metadata.finalizers?.includes(finalizer)) return;
  object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
}
