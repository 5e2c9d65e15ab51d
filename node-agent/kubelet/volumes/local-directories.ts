import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { Mounts } from '../../linux/mounts/mounts.ts';
import type { NodePaths } from '../../node-paths.ts';

/** Directories on the node's disk that volumes are made of. */
export interface LocalDirectories {
  /** Answers the path. Made already is fine. */
  make(name: string): Promise<string>;
  /** Removes the directory with its content; nothing happens where it is gone already. Throws VolumeInUseError while a Pod of the node has it mounted. */
  remove(name: string): Promise<void>;
}

export class VolumeInUseError extends Error {
  constructor(name: string) {
    super(`volume "${name}" is still mounted by a Pod of this node`);
    this.name = 'VolumeInUseError';
  }
}

interface LocalDirectoriesDependencies {
  readonly files: HostFiles;
  readonly mounts: Pick<Mounts, 'showing'>;
  readonly paths: NodePaths;
}

export function createLocalDirectories({ files, mounts, paths }: LocalDirectoriesDependencies): LocalDirectories {
  const pathOf = (name: string) => {
    const [problem] = dns1123SubdomainProblems(name);
    if (problem !== undefined) throw new Error(`${JSON.stringify(name)} is no name of a volume: ${problem}`);
    return `${paths.localVolumes}/${name}`;
  };
  return {
    async make(name) {
      const path = pathOf(name);
      // Containers may run as any user; access to the folder is limited by the Pods that mount it.
      if ((await files.facts(path)) === undefined) {
        await files.makeDirectory(paths.localVolumes, { mode: 0o711 });
        await files.makeDirectory(path, { mode: 0o777 });
      }
      return path;
    },
    async remove(name) {
      const path = pathOf(name);
      // Out of the way first: no Pod is given it any more. No volume has a name with a dot at its front.
      const removed = `${paths.localVolumes}/.removed-${name}`;
      const requireUnused = async (directory: string) => {
        if ((await mounts.showing(directory, paths.pods)).length > 0) throw new VolumeInUseError(name);
      };
      const removeUnused = async () => {
        await requireUnused(removed);
        await files.remove(removed);
      };
      await removeUnused();
      if ((await files.facts(path, { followLinks: false })) === undefined) return;
      await requireUnused(path);
      await files.rename(path, removed);
      await removeUnused();
    },
  };
}
