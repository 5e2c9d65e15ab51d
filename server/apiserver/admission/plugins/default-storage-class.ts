import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { findTime } from '../../../../api/meta/time.ts';
import { persistentVolumeClaims } from '../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { storageClasses } from '../../../../api/resources/storage/v1/storage-class.ts';
import type { StorageClass } from '../../../../api/types/storage-v1.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'] as const;

/** A new claim that names no StorageClass gets the default one; of several the newest. */
export const defaultStorageClass = defineAdmissionPlugin({
  name: 'DefaultStorageClass',
  operations: ['CREATE'],
  reads: [storageClasses],
  async admit(request, { lister }) {
    const claim = newObject(request, persistentVolumeClaims);
    if (!claim?.spec || claim.spec.storageClassName !== undefined || claim.metadata.annotations?.[classAnnotation] !== undefined) return;
    const [chosen] = lister(storageClasses).list().filter(isDefault).sort(newestFirst);
    if (chosen?.metadata.name !== undefined) claim.spec.storageClassName = chosen.metadata.name;
  },
});

function isDefault({ metadata }: DeepReadonly<StorageClass>): boolean {
  return defaultAnnotations.some((name) => metadata.annotations?.[name] === 'true');
}

function newestFirst({ metadata: a }: DeepReadonly<StorageClass>, { metadata: b }: DeepReadonly<StorageClass>): number {
  const byAge = (findTime(b.creationTimestamp) ?? 0) - (findTime(a.creationTimestamp) ?? 0);
  return byAge !== 0 ? byAge : (a.name ?? '') < (b.name ?? '') ? -1 : 1;
}
