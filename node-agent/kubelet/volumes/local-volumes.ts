import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { BlockDevices } from '../../linux/mounts/block-devices.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { Mounts } from '../../linux/mounts/mounts.ts';
import type { NodePaths } from '../../node-paths.ts';
import { findNewSize, tellSize } from './claim-size.ts';
import { applyFSGroup } from './fs-group.ts';
import { createInTurn } from './in-turn.ts';
import type { BoundVolume } from './bound-volume.ts';

interface LocalVolumesDependencies {
  readonly client: Client;
  readonly files: HostFiles;
  readonly mounts: Mounts;
  readonly devices: BlockDevices;
  readonly paths: NodePaths;
}

/** Volumes that are directories or devices of the node: PersistentVolumes of kind `local`. */
export interface LocalVolumes {
  /** Answers where it lies for the Pod. May be repeated: a device that has grown has its file system grown, too. */
  setUp(pod: DeepReadonly<Pod>, bound: BoundVolume): Promise<string>;
  release(podUID: string): Promise<void>;
}

const podFolder = 'volumes/kubernetes.io~local-volume';

export function createLocalVolumes(dependencies: LocalVolumesDependencies): LocalVolumes {
  const { client, files, mounts, devices, paths } = dependencies;
  const inTurn = createInTurn();
  const mountPoint = (name: string) => `${paths.plugins}/kubernetes.io/local-volume/mounts/${name}`;

  /** Writes the size of the volume into the claim's status; a directory needs no expansion. */
  const expand = async ({ volume, claim }: BoundVolume, grow?: () => Promise<void>) => {
    const size = findNewSize({ volume, claim });
    if (size === undefined) return;
    await grow?.();
    await tellSize(client, claim, size);
  };
  /** A device is mounted once, whatever the number of Pods. */
  const mountDevice = async ({ volume, claim }: BoundVolume, device: string): Promise<string> => {
    const point = mountPoint(volume.metadata.name ?? '');
    const { local, mountOptions = [] } = volume.spec ?? {};
    if (!(await mounts.isMounted(point))) {
      await files.makeDirectory(point, { mode: 0o750 });
      await devices.mount(device, point, { fsType: local?.fsType ?? '', mountOptions });
    }
    await expand({ volume, claim }, () => devices.grow(device, point));
    return point;
  };
  return {
    setUp(pod, bound) {
      const { metadata, spec } = bound.volume;
      const name = metadata.name ?? '';
      const path = spec?.local?.path ?? '';
      return inTurn(name, async () => {
        const facts = await files.facts(path);
        if (facts === undefined) throw new Error(`path "${path}" does not exist`);
        if (spec?.volumeMode === 'Block') {
          if (facts.kind !== 'blockDevice') throw new Error(`${path} is not a block device`);
          return path;
        }
        if (facts.kind !== 'directory' && facts.kind !== 'blockDevice') throw new Error(`path "${path}" is not a directory`);
        const source = facts.kind === 'blockDevice' ? await mountDevice(bound, path) : path;
        if (facts.kind === 'directory') await expand(bound);
        const target = `${paths.pods}/${pod.metadata.uid}/${podFolder}/${name}`;
        if (await mounts.isMounted(target)) return target;
        await files.makeDirectory(target, { mode: 0o750 });
        await mounts.bind(source, target);
        await applyFSGroup(files, pod, target);
        return target;
      });
    },
    async release(podUID) {
      const directory = `${paths.pods}/${podUID}/${podFolder}`;
      for (const name of await files.names(directory)) {
        await inTurn(name, async () => {
          await mounts.unmount(`${directory}/${name}`);
          const point = mountPoint(name);
          if (!(await mounts.isMounted(point))) return;
          for (const uid of await files.names(paths.pods)) {
            if (uid !== podUID && (await mounts.isMounted(`${paths.pods}/${uid}/${podFolder}/${name}`))) return;
          }
          await mounts.unmount(point);
          if (!(await mounts.isMounted(point))) await files.remove(point);
        });
      }
    },
  };
}
