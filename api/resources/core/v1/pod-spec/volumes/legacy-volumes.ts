import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import { invalidFor } from '../../../../../resource/field-rules.ts';
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GitRepoVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
  Volume,
} from '../../../../../types/core-v1.ts';
import { type FieldError, invalid, notSupported, required } from '../../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../../validation/field-path.ts';
import { inclusiveRangeMessage } from '../../../../../validation/formats.ts';
import { dns1123LabelProblems } from '../../../../../validation/names.ts';
import { validateDescendingPath } from '../names.ts';

/** Fields without which a volume of an in-tree driver names no disk. The drivers are gone; clusters that migrate keep the volumes. */
const requiredFields: Readonly<Record<string, readonly string[]>> = {
  gitRepo: ['repository'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  rbd: ['monitors', 'image'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
};

/** A volume of a driver that was part of Kubernetes. */
export function validateLegacyVolume(volume: DeepReadonly<Volume>, type: keyof Volume, at: FieldPath): FieldError[] {
  const source: unknown = volume[type];
  const missing = (requiredFields[type] ?? []).flatMap((field) => {
    const value: unknown = typeof source === 'object' && source !== null ? Reflect.get(source, field) : undefined;
    return value && !(Array.isArray(value) && value.length === 0) ? [] : [required(at.child(field))];
  });
  const { gitRepo, gcePersistentDisk, awsElasticBlockStore, flocker, quobyte, fc, flexVolume, azureDisk, storageos } = volume;
  if (gitRepo) missing.push(...validateDirectory(gitRepo, at));
  const partition = (gcePersistentDisk ?? awsElasticBlockStore)?.partition ?? 0;
  if (partition < 0 || partition > 255) missing.push(invalid(at.child('partition'), partition, inclusiveRangeMessage(1, 255)));
  if (flocker) missing.push(...validateFlocker(flocker, at));
  if (quobyte) missing.push(...validateQuobyte(quobyte, at));
  if (fc) missing.push(...validateFibreChannel(fc, at));
  if (flexVolume) missing.push(...validateFlexOptions(flexVolume, at));
  if (azureDisk) missing.push(...validateAzureDisk(azureDisk, at));
  if (storageos) missing.push(...validateStorageOS(storageos, at));
  return missing;
}

function validateDirectory({ directory = '' }: DeepReadonly<GitRepoVolumeSource>, at: FieldPath): FieldError[] {
  return validateDescendingPath(at.child('directory'), directory);
}

function validateFlocker({ datasetName = '', datasetUUID = '' }: DeepReadonly<FlockerVolumeSource>, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (datasetName === '' && datasetUUID === '') errors.push(required(at, 'one of datasetName and datasetUUID is required'));
  if (datasetName !== '' && datasetUUID !== '') {
    errors.push(invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (datasetName.includes('/')) errors.push(invalid(at.child('datasetName'), datasetName, "must not contain '/'"));
  return errors;
}

const hostPort = /^(?:\[[^\]]*\]|[^:]*):[^:]*$/;

function validateQuobyte({ registry, tenant = '', volume }: DeepReadonly<QuobyteVolumeSource>, at: FieldPath): FieldError[] {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  const errors: FieldError[] = [];
  if (!registry) errors.push(required(at.child('registry'), pairs));
  else if (tenant.length > 64) errors.push(required(at.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters'));
  else for (const pair of registry.split(',')) if (!hostPort.test(pair)) errors.push(invalid(at.child('registry'), registry, pairs));
  return volume ? errors : [...errors, required(at.child('volume'))];
}

function validateFibreChannel({ targetWWNs = [], wwids = [], lun }: DeepReadonly<FCVolumeSource>, at: FieldPath): FieldError[] {
  const path = at.child('targetWWNs');
  if (targetWWNs.length === 0) {
    return wwids.length === 0 ? [required(path, 'must specify either targetWWNs or wwids, but not both')] : [];
  }
  const errors = wwids.length === 0 ? [] : [invalid(path, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')];
  if (lun === undefined) errors.push(required(at.child('lun'), 'lun is required if targetWWNs is specified'));
  else if (lun < 0 || lun > 255) errors.push(invalid(at.child('lun'), lun, inclusiveRangeMessage(0, 255)));
  return errors;
}

function validateFlexOptions({ options }: DeepReadonly<FlexVolumeSource>, at: FieldPath): FieldError[] {
  return Object.keys(options ?? {}).flatMap((key) => {
    const namespace = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
    const isReserved = namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io');
    return isReserved ? [invalid(at.child('options').key(key), key, 'kubernetes.io and k8s.io namespaces are reserved')] : [];
  });
}

const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function validateAzureDisk({ cachingMode, kind, diskURI = '' }: DeepReadonly<AzureDiskVolumeSource>, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const choose = (field: string, value: string | undefined, supported: readonly string[]) => {
    if (value !== undefined && !supported.includes(value)) errors.push(notSupported(at.child(field), value, supported));
  };
  choose('cachingMode', cachingMode, ['None', 'ReadOnly', 'ReadWrite']);
  choose('kind', kind, ['Dedicated', 'Managed', 'Shared']);
  if (kind === undefined) return errors;
  const isManaged = kind === 'Managed';
  if (!diskURI.startsWith(isManaged ? '/subscriptions/' : 'https://')) {
    errors.push(notSupported(at.child('diskURI'), diskURI, [isManaged ? managedDisk : blobDisk]));
  }
  return errors;
}

function validateStorageOS({ volumeName, volumeNamespace, secretRef }: DeepReadonly<StorageOSVolumeSource>, at: FieldPath): FieldError[] {
  const errors = volumeName
    ? invalidFor(at.child('volumeName'), volumeName, dns1123LabelProblems(volumeName))
    : [required(at.child('volumeName'))];
  if (volumeNamespace) errors.push(...invalidFor(at.child('volumeNamespace'), volumeNamespace, dns1123LabelProblems(volumeNamespace)));
  if (secretRef && !secretRef.name) errors.push(required(at.child('secretRef', 'name')));
  return errors;
}
