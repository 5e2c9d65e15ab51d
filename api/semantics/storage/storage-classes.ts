import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { findTime } from '../../meta/time.ts';
import type { PersistentVolumeClaim } from '../../types/core-v1.ts';
import type { StorageClass } from '../../types/storage-v1.ts';
import { storageClassAnnotation } from './persistent-volumes.ts';

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'] as const;

/** The default class: the newest of the classes marked as default; among those of equal age, the first by name. */
export function findDefaultStorageClass(classes: readonly DeepReadonly<StorageClass>[]): DeepReadonly<StorageClass> | undefined {
  const [chosen] = classes.filter(isDefault).sort(newestFirst);
  return chosen;
}

/** Whether a claim names a class. '' counts: it asks for volumes without a class. */
export function namesStorageClass({ metadata, spec }: DeepReadonly<PersistentVolumeClaim>): boolean {
  return spec?.storageClassName !== undefined || metadata.annotations?.[storageClassAnnotation] !== undefined;
}

/** Whether claims of the class are bound only when a Pod that uses them is scheduled. */
export function waitsForConsumer(storageClass: DeepReadonly<StorageClass> | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
}

function isDefault({ metadata }: DeepReadonly<StorageClass>): boolean {
  return defaultAnnotations.some((name) => metadata.annotations?.[name] === 'true');
}

function newestFirst({ metadata: a }: DeepReadonly<StorageClass>, { metadata: b }: DeepReadonly<StorageClass>): number {
  const byAge = (findTime(b.creationTimestamp) ?? 0) - (findTime(a.creationTimestamp) ?? 0);
  return byAge !== 0 ? byAge : (a.name ?? '') < (b.name ?? '') ? -1 : 1;
}
