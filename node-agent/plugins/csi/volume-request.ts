import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { CSIDriver } from '../../../api/types/storage-v1.ts';
import type { AccessMode, VolumeCapability } from './csi-client.ts';

/** A volume as the node's part of a driver is asked for it. */
export interface VolumeWish {
  readonly isBlock: boolean;
  readonly fsType: string;
  readonly mountOptions: readonly string[];
  readonly accessModes: readonly string[];
  readonly readOnly: boolean;
}

/** `group`: the Pod's fsGroup, if the driver itself gives the volume to it. */
export function volumeCapability(
  { isBlock, fsType, mountOptions, accessModes }: VolumeWish,
  capabilities: ReadonlySet<string>,
  group: number | undefined,
): VolumeCapability {
  const access_mode = { mode: accessMode(accessModes[0] ?? 'ReadWriteOnce', capabilities.has('SINGLE_NODE_MULTI_WRITER')) };
  if (isBlock) return { block: {}, access_mode };
  const volume_mount_group = group === undefined ? '' : String(group);
  return { mount: { fs_type: fsType, mount_flags: mountOptions, volume_mount_group }, access_mode };
}

/** Drivers that distinguish several writers on one node get the finer modes. */
function accessMode(mode: string, tellsWriters: boolean): AccessMode {
  switch (mode) {
    case 'ReadOnlyMany':
      return 'MULTI_NODE_READER_ONLY';
    case 'ReadWriteMany':
      return 'MULTI_NODE_MULTI_WRITER';
    case 'ReadWriteOncePod':
      return tellsWriters ? 'SINGLE_NODE_SINGLE_WRITER' : 'SINGLE_NODE_WRITER';
    default:
      return tellsWriters ? 'SINGLE_NODE_MULTI_WRITER' : 'SINGLE_NODE_WRITER';
  }
}

/** A Pod's attributes for drivers that ask for them. */
export function podAttributes(
  pod: DeepReadonly<Pod>,
  driver: DeepReadonly<CSIDriver> | undefined,
  isInline: boolean,
): Record<string, string> {
  if (driver?.spec.podInfoOnMount !== true) return {};
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return {
    'csi.storage.k8s.io/pod.name': name,
    'csi.storage.k8s.io/pod.namespace': namespace,
    'csi.storage.k8s.io/pod.uid': uid,
    'csi.storage.k8s.io/serviceAccount.name': pod.spec?.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(isInline),
  };
}

/** Whether the kubelet is to give the volume's files to the Pod's fsGroup, by the driver's policy. */
export function leavesGroupToKubelet(
  { isBlock, fsType, accessModes, readOnly }: VolumeWish,
  driver: DeepReadonly<CSIDriver> | undefined,
  isInline: boolean,
): boolean {
  const policy = driver?.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType';
  if (isBlock || readOnly || policy === 'None') return false;
  if (policy === 'File') return true;
  return fsType !== '' && (isInline || accessModes.includes('ReadWriteOnce'));
}
