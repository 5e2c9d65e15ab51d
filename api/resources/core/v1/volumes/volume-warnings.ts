import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec } from '../../../../types/core-v1.ts';
import { FieldPath } from '../../../../validation/field-path.ts';
import { claimSpecWarnings } from './claim-spec-warnings.ts';
import { nodeSelectorTermWarnings } from '../pod-spec/node-label-warnings.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

const deprecatedSources: Partial<Record<keyof PersistentVolumeSpec, string>> = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/** Warnings for deprecated fields of a volume. */
export function persistentVolumeWarnings({ metadata, spec = {} }: DeepReadonly<PersistentVolume>): string[] {
  const path = FieldPath.root.child('spec');
  const warnings = classWarnings(metadata.annotations);
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const message = 'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.';
    warnings.push(`${path.child('persistentVolumeReclaimPolicy')}: ${message}`);
  }
  const terms = path.child('nodeAffinity', 'required', 'nodeSelectorTerms');
  for (const [index, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    warnings.push(...nodeSelectorTermWarnings(term, terms.index(index)));
  for (const [field, message] of Object.entries(deprecatedSources)) {
    if (Object.hasOwn(spec, field)) warnings.push(`${path.child(field === 'storageos' ? 'storageOS' : field)}: ${message}`);
  }
  return warnings;
}

/** Warnings for deprecated fields of a claim, and for fractional bytes. */
export function persistentVolumeClaimWarnings({ metadata, spec }: DeepReadonly<PersistentVolumeClaim>): string[] {
  return [...classWarnings(metadata.annotations), ...claimSpecWarnings(spec, FieldPath.root.child('spec'))];
}

function classWarnings(annotations: Readonly<Record<string, string>> | undefined): string[] {
  if (annotations?.[classAnnotation] === undefined) return [];
  const at = FieldPath.root.child('metadata', 'annotations').key(classAnnotation);
  return [`${at}: deprecated since v1.8; use "storageClassName" attribute instead`];
}
