import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { localVolumeFinalizer, localVolumeNodeAnnotation, localVolumeProvisioner } from '../../../api/semantics/storage/local-volumes.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import {
  provisionedByAnnotation,
  selectedNodeAnnotation,
  storageProvisionerAnnotation,
} from '../../../api/semantics/storage/volume-annotations.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { StorageClass } from '../../../api/types/storage-v1.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

const hostLabel = 'kubernetes.io/hostname';

/** Whether the claim waits for a volume of this provisioner. */
export function asksForLocalVolume({ metadata, spec, status }: Claim): boolean {
  if (metadata.annotations?.[storageProvisionerAnnotation] !== localVolumeProvisioner) return false;
  return !spec?.volumeName && status?.phase !== 'Lost' && metadata.deletionTimestamp === undefined;
}

export function isLocalVolume({ metadata }: Volume): boolean {
  return metadata.annotations?.[provisionedByAnnotation] === localVolumeProvisioner;
}

export function volumeNameFor({ metadata }: Claim): string {
  return `pvc-${metadata.uid}`;
}

/** The reason why a local volume cannot satisfy the claim, or the node that will hold it. */
export function chooseNode({ metadata, spec }: Claim): { readonly nodeName: string } | { readonly refusal: string } {
  if (spec?.volumeMode === 'Block') return { refusal: 'directories cannot be block volumes: volumeMode has to be Filesystem' };
  if (spec?.selector !== undefined) return { refusal: 'claim.Spec.Selector is not supported' };
  if (spec?.dataSourceRef !== undefined || spec?.dataSource !== undefined)
    return { refusal: 'claims with a data source are not supported' };
  const nodeName = metadata.annotations?.[selectedNodeAnnotation];
  return nodeName === undefined
    ? { refusal: 'no node was chosen: the StorageClass has to have volumeBindingMode WaitForFirstConsumer' }
    : { nodeName };
}

/** The volume for a claim: a directory that exists on that node. */
export function localVolumeFor(
  claim: Claim,
  { reclaimPolicy = 'Delete' }: DeepReadonly<StorageClass>,
  node: DeepReadonly<Node>,
  path: string,
): PersistentVolume {
  const { name = '', namespace = '', uid = '' } = claim.metadata;
  const nodeName = node.metadata.name ?? '';
  const host = node.metadata.labels?.[hostLabel] ?? nodeName;
  return {
    metadata: {
      name: volumeNameFor(claim),
      annotations: { [provisionedByAnnotation]: localVolumeProvisioner, [localVolumeNodeAnnotation]: nodeName },
      finalizers: [localVolumeFinalizer],
    },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '0' },
      accessModes: [...(claim.spec?.accessModes ?? [])],
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClassOf(claim),
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      local: { path },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostLabel, operator: 'In', values: [host] }] }] },
      },
    },
  };
}

/** The next step for a volume of this provisioner. */
type LocalVolumePlan = 'nothing' | 'removeDirectory' | 'letGo';

/**
 * The directory is deleted with a released volume of the policy Delete, or with one that is itself deleted then. The directory of a
 * retained volume stays. Nothing is done while the volume is bound.
 */
export function planLocalVolume({ metadata, spec, status }: Volume): LocalVolumePlan {
  const isOurs = metadata.finalizers?.includes(localVolumeFinalizer) ?? false;
  const isGoing = metadata.deletionTimestamp !== undefined;
  const isReleased = status?.phase === 'Released' || status?.phase === 'Failed';
  if (status?.phase === 'Bound' || (isGoing && !isOurs)) return 'nothing';
  if (spec?.persistentVolumeReclaimPolicy === 'Delete' && (isReleased || isGoing)) return 'removeDirectory';
  return isGoing ? 'letGo' : 'nothing';
}
