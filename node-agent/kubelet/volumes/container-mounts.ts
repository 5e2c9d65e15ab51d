import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod, VolumeMount } from '../../../api/types/core-v1.ts';
import type { MountConfig } from '../../cri/messages.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { Mounts } from '../../linux/mounts/mounts.ts';
import { ContainerConfigError } from '../containers/config-error.ts';
import { defaultTerminationMessagePath } from '../containers/container-config.ts';
import { expandVariables } from '../containers/expand-variables.ts';
import type { NodePaths } from '../../node-paths.ts';
import type { MountedVolumes } from './pod-volumes.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

interface ContainerMountsInput {
  readonly files: HostFiles;
  readonly mounts: Mounts;
  readonly paths: NodePaths;
  readonly pod: DeepReadonly<Pod>;
  readonly container: AnyContainer;
  readonly volumes: MountedVolumes;
  /** The images as the runtime knows them, by the volumes that mount them. */
  readonly images: ReadonlyMap<string, MountedImage>;
  /** Whether the runtime supports recursive read-only mounts. */
  readonly canBeRecursive: () => Promise<boolean>;
  readonly environment: ReadonlyMap<string, string>;
  readonly hostsFile: string;
  readonly restartCount: number;
}

export interface MountedImage {
  readonly id: string;
  /** The image's reference in the Pod. */
  readonly reference: string;
}

/** The file for the termination message of one instance of a container. */
export function terminationMessageFile(paths: NodePaths, uid: string, container: string, restartCount: number): string {
  return `${paths.pods}/${uid}/containers/${container}/${restartCount}`;
}

const propagations = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const;

/** The mounts of one container: its Pod's volumes, its hosts file and its termination message file. */
export async function containerMounts(input: ContainerMountsInput): Promise<MountConfig[]> {
  const { files, paths, pod, container, restartCount } = input;
  const uid = pod.metadata.uid ?? '';
  const result: MountConfig[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const image = input.images.get(mount.name);
    const isRecursive = await isRecursivelyReadOnly(input, mount);
    result.push({
      container_path: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      ...(image ? imageSource(image, subPathOf(input, mount)) : { host_path: await hostPathOf(input, mount, index) }),
      readonly: (mount.readOnly ?? false) || image !== undefined || isReadOnly(pod, mount.name),
      propagation: propagations[mount.mountPropagation ?? 'None'],
      ...(isRecursive ? { recursive_read_only: true } : {}),
    });
  }
  const mountsHosts = (container.volumeMounts ?? []).some(({ mountPath }) => mountPath === '/etc/hosts');
  if (!mountsHosts) result.push(file('/etc/hosts', `${paths.pods}/${uid}/etc-hosts`));
  const message = terminationMessageFile(paths, uid, container.name, restartCount);
  await files.write(message, '', { mode: 0o666 });
  result.push(file(container.terminationMessagePath ?? defaultTerminationMessagePath, message));
  return result;
}

/**
 * Whether the volume is read-only for all containers, whatever their mounts say: a claim or a driver's volume that is read-only for the
 * Pod, and volumes that the node fills with content of the API, since it writes there as root (CVE-2017-1002102).
 */
export function isReadOnly(pod: DeepReadonly<Pod>, volumeName: string): boolean {
  const volume = pod.spec?.volumes?.find(({ name }) => name === volumeName);
  if (volume?.configMap ?? volume?.secret ?? volume?.projected ?? volume?.downwardAPI) return true;
  return volume?.persistentVolumeClaim?.readOnly ?? volume?.csi?.readOnly ?? false;
}

function imageSource({ id, reference }: MountedImage, subPath: string): Pick<MountConfig, 'host_path' | 'image' | 'image_sub_path'> {
  const image = { image: id, user_specified_image: reference };
  return { host_path: '', image, ...(subPath === '' ? {} : { image_sub_path: subPath }) };
}

async function isRecursivelyReadOnly({ canBeRecursive }: ContainerMountsInput, mount: DeepReadonly<VolumeMount>): Promise<boolean> {
  const { name, recursiveReadOnly = 'Disabled' } = mount;
  if (recursiveReadOnly === 'Disabled') return false;
  if (await canBeRecursive()) return true;
  if (recursiveReadOnly === 'IfPossible') return false;
  throw new ContainerConfigError(
    `failed to resolve recursive read-only mode: volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`,
  );
}

function file(container_path: string, host_path: string): MountConfig {
  return { container_path, host_path, readonly: false, propagation: 'PROPAGATION_PRIVATE' };
}

async function hostPathOf(input: ContainerMountsInput, mount: DeepReadonly<VolumeMount>, index: number): Promise<string> {
  const root = input.volumes.get(mount.name);
  if (root === undefined)
    throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${input.container.name}"`);
  const subPath = subPathOf(input, mount);
  if (subPath === '') return root;
  const { files, mounts, paths, pod, container } = input;
  const realRoot = await files.realPath(root);
  const target = `${paths.pods}/${pod.metadata.uid}/volume-subpaths/${mount.name}/${container.name}/${index}`;
  await mounts.unmount(target);
  try {
    if ((await files.facts(`${realRoot}/${subPath}`)) === undefined) {
      // Missing folders are as open as the volume itself: who may write there may write in them.
      const mode = 0o750 | ((await files.facts(realRoot))?.mode ?? 0);
      await files.makeDirectoryInside(realRoot, subPath, { mode });
    }
    await mounts.bindInside(realRoot, subPath, target);
  } catch (error) {
    throw new ContainerConfigError(
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return target;
}

function subPathOf({ environment }: ContainerMountsInput, { subPath: plain = '', subPathExpr }: DeepReadonly<VolumeMount>): string {
  const subPath = subPathExpr ? expandSubPath(subPathExpr, environment) : plain;
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new ContainerConfigError(`invalid subPath "${subPath}"`);
  return subPath;
}

function expandSubPath(expression: string, environment: ReadonlyMap<string, string>): string {
  return expandVariables(expression, (name) => {
    const value = environment.get(name);
    if (value === undefined) throw new ContainerConfigError(`missing value for "${name}"`);
    return value;
  });
}
