import { compareQuantities } from '../../../../api/base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../../api/base/quantity/quantity.ts';
import { persistentVolumeClaims } from '../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { storageClasses } from '../../../../api/resources/storage/v1/storage-class.ts';
import { storageClassOf } from '../../../../api/semantics/storage/persistent-volumes.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject, refuse } from '../admission-request.ts';

/** Claims may grow only if they are bound and their class allows it. */
export const persistentVolumeClaimResize = defineAdmissionPlugin({
  name: 'PersistentVolumeClaimResize',
  operations: ['UPDATE'],
  resources: [persistentVolumeClaims],
  reads: [storageClasses],
  async validate(request, { lister }) {
    const claim = newObject(request, persistentVolumeClaims);
    const old = oldObject(request, persistentVolumeClaims);
    if (claim === undefined || old === undefined) return;
    const sizeOf = ({ spec }: typeof old) => parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded');
    const name = storageClassOf(claim) || storageClassOf(old);
    if (name !== '' && lister(storageClasses).find({ namespace: '', name })?.allowVolumeExpansion) return;
    throw refuse(
      request,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  },
});
