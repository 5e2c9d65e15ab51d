import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { ISCSIPersistentVolumeSource, PersistentVolumeSpec, SecretReference, Volume } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { nameIsDNSLabel } from '../../../../validation/names.ts';
import { validateISCSI } from '../pod-spec/volumes/iscsi-volume.ts';
import { validateLegacyVolume } from '../pod-spec/volumes/legacy-volumes.ts';
import { validateDNSLabel, validateDNSSubdomain, validateNoBacksteps } from '../pod-spec/names.ts';
import { validateCSIDriverName, validateHostPath, validateNFS } from '../pod-spec/volumes/volumes.ts';

type Spec = DeepReadonly<PersistentVolumeSpec>;

/** The fields that name the storage, in the order in which upstream checks them. Exactly one of them is set. */
export const sourceFields = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const satisfies readonly (keyof PersistentVolumeSpec)[];

type SourceField = (typeof sourceFields)[number];

/** How the storage of a PersistentVolume of that name is reached. `path` is that of the spec. */
export function validateVolumeSource(spec: Spec, volumeName: string, path: FieldPath): FieldError[] {
  const present = sourceFields.filter((field) => spec[field] !== undefined);
  if (present.length === 0) return [required(path, 'must specify a volume type')];
  return present.flatMap((field, index) => {
    // Upstream looks at flexVolume whatever else there is.
    if (index === 0 || field === 'flexVolume') return validateSource(spec, field, volumeName, path);
    return [forbidden(path.child(field === 'cephfs' ? 'cephFS' : field), 'may not specify more than 1 volume type')];
  });
}

function validateSource(spec: Spec, field: SourceField, volumeName: string, path: FieldPath): FieldError[] {
  const at = path.child(field === 'gcePersistentDisk' ? 'persistentDisk' : field);
  switch (field) {
    case 'hostPath':
      return validateHostPath(spec.hostPath, at);
    case 'nfs':
      return validateNFS(spec.nfs, at);
    case 'local':
      return validateLocal(spec, path);
    case 'csi':
      return validateCSI(spec.csi, at);
    case 'iscsi':
      return spec.iscsi ? validateISCSIVolume(spec.iscsi, volumeName, at) : [];
    default:
      return [...validateLegacyVolume({ name: '', ...spec }, field, at), ...validateNamespaces(spec, field, at)];
  }
}

function validateLocal({ local, nodeAffinity }: Spec, path: FieldPath): FieldError[] {
  const at = path.child('local', 'path');
  const errors = local?.path ? validateNoBacksteps(at, local.path) : [required(at)];
  return nodeAffinity?.required ? errors : [...errors, required(path.child('nodeAffinity'), 'Local volume requires node affinity')];
}

const secretFields = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const;

function validateCSI(csi: Spec['csi'], at: FieldPath): FieldError[] {
  return [
    ...validateCSIDriverName(csi?.driver ?? '', at.child('driver')),
    ...(csi?.volumeHandle ? [] : [required(at.child('volumeHandle'))]),
    ...secretFields.flatMap((field) => {
      const reference = csi?.[field];
      return reference ? validateSecretReference(reference, at.child(field)) : [];
    }),
  ];
}

function validateSecretReference({ name, namespace }: DeepReadonly<SecretReference>, at: FieldPath): FieldError[] {
  return [
    ...(name ? validateDNSSubdomain(at.child('name'), name) : [required(at.child('name'))]),
    ...(namespace ? validateDNSLabel(at.child('namespace'), namespace) : [required(at.child('namespace'))]),
  ];
}

const maxISCSINameLength = 64;

function validateISCSIVolume(source: DeepReadonly<ISCSIPersistentVolumeSource>, volumeName: string, at: FieldPath): FieldError[] {
  const { secretRef } = source;
  const errors = [...validateISCSI(source, at), ...(secretRef && !secretRef.name ? [required(at.child('secretRef', 'name'))] : [])];
  if (source.initiatorName === undefined || `${volumeName}:${source.targetPortal}`.length <= maxISCSINameLength) return errors;
  const detail = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  const afterPortal = source.targetPortal ? 0 : 1;
  return errors.toSpliced(afterPortal, 0, invalid(at.child('targetportal'), source.targetPortal, detail));
}

/** Volumes have no namespace, so a reference from them has to name one. */
function validateNamespaces({ glusterfs, cinder, azureFile, storageos }: Spec, field: keyof Volume, at: FieldPath): FieldError[] {
  switch (field) {
    case 'glusterfs': {
      const namespace = glusterfs?.endpointsNamespace;
      if (namespace === undefined) return [];
      const path = at.child('endpointsNamespace');
      if (namespace === '') return [invalid(path, namespace, 'if the endpointnamespace is set, it must be a valid namespace name')];
      return nameIsDNSLabel(namespace, false).map((problem) => invalid(path, namespace, problem));
    }
    case 'cinder':
      if (!cinder?.secretRef) return [];
      return (['name', 'namespace'] as const).flatMap((part) => (cinder.secretRef?.[part] ? [] : [required(at.child('secretRef', part))]));
    case 'azureFile':
      return azureFile?.secretNamespace === '' ? [required(at.child('secretNamespace'))] : [];
    case 'storageos':
      return storageos?.secretRef && !storageos.secretRef.namespace ? [required(at.child('secretRef', 'namespace'))] : [];
    default:
      return [];
  }
}
