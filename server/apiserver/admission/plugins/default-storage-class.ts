import { persistentVolumeClaims } from '../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { storageClasses } from '../../../../api/resources/storage/v1/storage-class.ts';
import { findDefaultStorageClass, namesStorageClass } from '../../../../api/semantics/storage/storage-classes.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

/** Gives the default StorageClass to a new claim that names none; of several defaults the newest. */
export const defaultStorageClass = defineAdmissionPlugin({
  name: 'DefaultStorageClass',
  operations: ['CREATE'],
  resources: [persistentVolumeClaims],
  reads: [storageClasses],
  async admit(request, { lister }) {
    const claim = newObject(request, persistentVolumeClaims);
    if (!claim?.spec || namesStorageClass(claim)) return;
    const chosen = findDefaultStorageClass(lister(storageClasses).list());
    if (chosen?.metadata.name !== undefined) claim.spec.storageClassName = chosen.metadata.name;
  },
});
