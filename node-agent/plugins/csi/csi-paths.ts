import { createHash } from 'node:crypto';
import { attachmentName } from '../../../api/semantics/storage/csi-volumes.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { NodePaths } from '../../node-paths.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Name of the VolumeAttachment of a volume at a node. */
export function attachmentNameOf(handle: string, driver: string, nodeName: string): string {
  return attachmentName(sha256, { handle, driver, nodeName });
}

/** The handle by which a driver knows a volume that is made for one Pod. */
export function inlineHandle(podUID: string, volumeName: string): string {
  return `csi-${sha256(`${podUID}${volumeName}`)}`;
}

/** The data beside each volume, which are enough to unmount it. In upstream's format. */
export interface VolumeData {
  readonly driverName: string;
  readonly volumeHandle: string;
  /** The name of the PersistentVolume, or of the volume in the Pod. */
  readonly specVolID: string;
  readonly volumeLifecycleMode: 'Persistent' | 'Ephemeral';
  readonly nodeName: string;
  readonly attachmentID: string;
}

export const volumeDataFile = 'vol_data.json';

export async function findVolumeData(files: HostFiles, directory: string): Promise<VolumeData | undefined> {
  const text = await files.findText(`${directory}/${volumeDataFile}`);
  if (text === undefined) return undefined;
  const data: unknown = JSON.parse(text);
  const { driverName, volumeHandle, specVolID = '', ...rest } = data as Partial<VolumeData>;
  if (driverName === undefined || volumeHandle === undefined) throw new Error(`${directory}/${volumeDataFile} names no volume`);
  return { volumeLifecycleMode: 'Persistent', nodeName: '', attachmentID: '', ...rest, driverName, volumeHandle, specVolID };
}

/** The paths of the parts of a volume. */
export interface VolumePlaces {
  /** The Pod's directory for it, its data file included. */
  readonly ofPod: string;
  /** The mount point that the driver makes for the Pod. */
  readonly target: string;
  /** The mount point that the driver makes for the node, if it does so. */
  readonly staging: string;
  /** The data file of that. */
  readonly ofNode: string;
}

export function volumePlaces(
  paths: NodePaths,
  podUID: string,
  { driverName, volumeHandle, specVolID }: Pick<VolumeData, 'driverName' | 'volumeHandle' | 'specVolID'>,
  isBlock: boolean,
): VolumePlaces {
  const plugin = `${paths.plugins}/kubernetes.io/csi`;
  if (isBlock) {
    return {
      ofPod: `${paths.pods}/${podUID}/${podFolders.block}/${specVolID}`,
      target: `${plugin}/volumeDevices/publish/${specVolID}/${podUID}`,
      staging: `${plugin}/volumeDevices/staging/${specVolID}`,
      ofNode: `${plugin}/volumeDevices/${specVolID}/data`,
    };
  }
  const ofPod = `${paths.pods}/${podUID}/${podFolders.mount}/${specVolID}`;
  const ofNode = `${plugin}/${driverName}/${sha256(volumeHandle)}`;
  return { ofPod, target: `${ofPod}/mount`, staging: `${ofNode}/globalmount`, ofNode };
}

/** Folders of a Pod that hold its volumes of drivers. */
export const podFolders = { mount: 'volumes/kubernetes.io~csi', block: 'volumeDevices/kubernetes.io~csi' } as const;

/** The data of all volumes that drivers have made for the node. */
export async function nodeVolumes(files: HostFiles, paths: NodePaths): Promise<VolumeData[]> {
  const plugin = `${paths.plugins}/kubernetes.io/csi`;
  const found: VolumeData[] = [];
  for (const driver of await files.names(plugin)) {
    for (const volume of await files.names(`${plugin}/${driver}`)) {
      const directory = driver === 'volumeDevices' ? `${plugin}/${driver}/${volume}/data` : `${plugin}/${driver}/${volume}`;
      const data = await findVolumeData(files, directory);
      if (data !== undefined) found.push(data);
    }
  }
  return found;
}
