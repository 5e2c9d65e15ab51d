import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { CSIDriver } from '../../types/storage-v1.ts';

/** The name of a storage driver's volume in `node.status.volumesInUse` and `volumesAttached`. */
export function uniqueVolumeName(driver: string, handle: string): string {
  return `kubernetes.io/csi/${driver}^${handle}`;
}

/** Name of the VolumeAttachment of a volume at a node; `sha256` answers hexadecimal digits. */
export function attachmentName(
  sha256: (text: string) => string,
  { handle, driver, nodeName }: { readonly handle: string; readonly driver: string; readonly nodeName: string },
): string {
  return `csi-${sha256(`${handle}${driver}${nodeName}`)}`;
}

/** Whether volumes of a driver have to be attached to nodes. True for a driver without a CSIDriver object. */
export function needsAttachment(driver: DeepReadonly<CSIDriver> | undefined): boolean {
  return driver?.spec.attachRequired !== false;
}
