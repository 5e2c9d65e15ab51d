import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import { parseQuantity } from '../../../../../base/quantity/quantity.ts';
import { invalidFor, validateChoice, validateEach } from '../../../../../resource/field-rules.ts';
import type { ObjectMeta } from '../../../../../types/meta-v1.ts';
import { validateLabels } from '../../../../../validation/labels.ts';
import type { HostPathVolumeSource, NFSVolumeSource, Volume } from '../../../../../types/core-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../../../validation/names.ts';
import { validatePersistentVolumeClaimSpec } from '../../volumes/persistent-volume-claim-spec.ts';
import { validateFileMode, validateNoBacksteps } from '../names.ts';
import type { PodSpecRules } from '../pod-spec-rules.ts';
import { validateProjected } from './projected-volumes.ts';
import { validateISCSI } from './iscsi-volume.ts';
import { validateLegacyVolume } from './legacy-volumes.ts';
import { validateDownwardFile, validateKeyedFiles } from './volume-files.ts';

/** Kinds of volume in the order in which upstream looks at them: after the first, any other is refused. */
const volumeTypes = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[];

interface ValidatedVolumes {
  /** The valid volumes by name, which containers may mount. */
  readonly byName: ReadonlyMap<string, DeepReadonly<Volume>>;
  readonly errors: FieldError[];
}

export function validateVolumes(
  volumes: readonly DeepReadonly<Volume>[] | undefined,
  path: FieldPath,
  rules: PodSpecRules,
): ValidatedVolumes {
  const byName = new Map<string, DeepReadonly<Volume>>();
  const ephemeralClaims = new Set((volumes ?? []).filter(({ ephemeral }) => ephemeral).map(({ name }) => `${rules.podName}-${name}`));
  const errors = validateEach(volumes, path, (volume, at) => {
    const own = validateSource(volume, at, rules);
    if (volume.name) own.push(...invalidFor(at.child('name'), volume.name, dns1123LabelProblems(volume.name)));
    else own.push(required(at.child('name')));
    if (byName.has(volume.name)) own.push(duplicate(at.child('name'), volume.name));
    if (own.length === 0) byName.set(volume.name, volume);
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (rules.podName !== '' && claimName !== undefined && ephemeralClaims.has(claimName)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume';
      own.push(invalid(at.child('persistentVolumeClaim', 'claimName'), claimName, detail));
    }
    return own;
  });
  return { byName, errors };
}

function validateSource(volume: DeepReadonly<Volume>, path: FieldPath, rules: PodSpecRules): FieldError[] {
  const [type, ...others] = volumeTypes.filter((candidate) => volume[candidate] !== undefined);
  if (type === undefined) return [required(path, 'must specify a volume type')];
  return [
    ...validateTyped(volume, type, path, rules),
    ...others.map((other) => forbidden(path.child(refusedAs[other] ?? other), 'may not specify more than 1 volume type')),
  ];
}

/** Paths of upstream's that do not spell the field. */
const refusedAs: Partial<Record<(typeof volumeTypes)[number], string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

function validateTyped(
  volume: DeepReadonly<Volume>,
  type: (typeof volumeTypes)[number],
  path: FieldPath,
  rules: PodSpecRules,
): FieldError[] {
  const at = path.child(type === 'gcePersistentDisk' ? 'persistentDisk' : type);
  const { emptyDir, hostPath, secret, configMap, nfs, persistentVolumeClaim, downwardAPI, projected, csi, ephemeral, image } = volume;
  switch (type) {
    case 'emptyDir': {
      const isNegative = emptyDir?.sizeLimit !== undefined && parseQuantity(emptyDir.sizeLimit).unscaled < 0n;
      return isNegative ? [forbidden(at.child('sizeLimit'), 'SizeLimit field must be a valid resource quantity')] : [];
    }
    case 'hostPath':
      return validateHostPath(hostPath, at);
    case 'secret':
      return [...(secret?.secretName ? [] : [required(at.child('secretName'))]), ...validateKeyedFiles(secret ?? {}, at)];
    case 'configMap':
      return [...(configMap?.name ? [] : [required(at.child('name'))]), ...validateKeyedFiles(configMap ?? {}, at)];
    case 'nfs':
      return validateNFS(nfs, at);
    case 'persistentVolumeClaim':
      return persistentVolumeClaim?.claimName ? [] : [required(at.child('claimName'))];
    case 'downwardAPI':
      return [
        ...validateFileMode(at.child('defaultMode'), downwardAPI?.defaultMode),
        ...(downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(file, at)),
      ];
    case 'projected':
      return projected ? validateProjected(projected, at) : [];
    case 'csi':
      return validateCSI(csi, at);
    case 'iscsi':
      return volume.iscsi ? validateISCSI(volume.iscsi, at) : [];
    case 'ephemeral':
      if (!ephemeral?.volumeClaimTemplate) return [required(at.child('volumeClaimTemplate'))];
      return [
        ...validateTemplateMetadata(ephemeral.volumeClaimTemplate.metadata, at.child('volumeClaimTemplate', 'metadata')),
        ...validatePersistentVolumeClaimSpec(ephemeral.volumeClaimTemplate.spec, at.child('volumeClaimTemplate', 'spec')),
        ...validateEphemeralName(volume.name, path, rules),
      ];
    case 'image':
      return [
        ...(rules.isPod && !image?.reference ? [required(at.child('reference'))] : []),
        ...validateChoice(at.child('pullPolicy'), image?.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
      ];
    default:
      return validateLegacyVolume(volume, type, at);
  }
}

/** Validates the metadata of a claim template: only labels and annotations are taken over. */
function validateTemplateMetadata(metadata: DeepReadonly<ObjectMeta> | undefined, path: FieldPath): FieldError[] {
  const unknown = Object.entries(metadata ?? {})
    .filter(([field, value]) => value !== null && field !== 'labels' && field !== 'annotations')
    // For this field upstream's message uses the name of its struct.
    .map(([field]) => forbidden(path.child(field === 'uid' ? 'uID' : field), 'cannot be set'));
  return [...validateLabels(metadata?.labels, path.child('labels')), ...unknown];
}

function validateEphemeralName(volumeName: string, path: FieldPath, rules: PodSpecRules): FieldError[] {
  if (rules.podName === '' || volumeName === '') return [];
  const claimName = `${rules.podName}-${volumeName}`;
  return dns1123SubdomainProblems(claimName).map((problem) =>
    invalid(path.child('name'), volumeName, `PVC name "${claimName}": ${problem}`),
  );
}

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

/** A path of the node's own file system. */
export function validateHostPath(source: DeepReadonly<HostPathVolumeSource> | undefined, at: FieldPath): FieldError[] {
  if (!source?.path) return [required(at.child('path'))];
  const errors = validateNoBacksteps(at.child('path'), source.path);
  if (source.type !== undefined) errors.push(...validateChoice(at.child('type'), source.type, hostPathTypes, 'unsupported'));
  return errors;
}

export function validateNFS(source: DeepReadonly<NFSVolumeSource> | undefined, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!source?.server) errors.push(required(at.child('server')));
  if (!source?.path) errors.push(required(at.child('path')));
  if (!source?.path?.startsWith('/')) errors.push(invalid(at.child('path'), source?.path ?? '', 'must be an absolute path'));
  return errors;
}

function validateCSI(source: DeepReadonly<Volume>['csi'], at: FieldPath): FieldError[] {
  const errors = validateCSIDriverName(source?.driver ?? '', at.child('driver'));
  const secret = source?.nodePublishSecretRef;
  if (secret === undefined) return errors;
  if (!secret.name) return [...errors, required(at.child('nodePublishSecretRef', 'name'))];
  return [...errors, ...invalidFor(at.child('name'), secret.name, dns1123SubdomainProblems(secret.name))];
}

export function validateCSIDriverName(name: string, path: FieldPath): FieldError[] {
  const errors: FieldError[] = name === '' ? [required(path)] : name.length > 63 ? [tooLong(path, 63)] : [];
  return [...errors, ...invalidFor(path, name, dns1123SubdomainProblems(name.toLowerCase()))];
}
