import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../types/core-v1.ts';

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** Access modes as `RWO,ROX`: in a fixed order, each once. */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

/** The class of a claim or volume, as it was named before there was a field for it. */
export const storageClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** The class by the annotation of old, else by the field. */
export function storageClassOf({ metadata, spec }: DeepReadonly<PersistentVolume | PersistentVolumeClaim>): string {
  return metadata.annotations?.[storageClassAnnotation] ?? spec?.storageClassName ?? '';
}
