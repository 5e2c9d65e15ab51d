import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';
import type { HostFiles } from '../../linux/host-files.ts';
import type { NodePaths } from '../node-paths.ts';

/** Directories on the node's disk that volumes are made of. */
export interface LocalDirectories {
  /** Answers the path. Made already is fine. */
  make(name: string): Promise<string>;
  /** With everything in it. Gone already is fine. */
  remove(name: string): Promise<void>;
}

export function createLocalDirectories({ files, paths }: { readonly files: HostFiles; readonly paths: NodePaths }): LocalDirectories {
  const pathOf = (name: string) => {
    const [problem] = dns1123SubdomainProblems(name);
    if (problem !== undefined) throw new Error(`${JSON.stringify(name)} is no name of a volume: ${problem}`);
    return `${paths.localVolumes}/${name}`;
  };
  return {
    async make(name) {
      const path = pathOf(name);
      // Containers may run as anyone; who may reach the folder at all is up to the Pods that mount it.
      if ((await files.facts(path)) === undefined) {
        await files.makeDirectory(paths.localVolumes, { mode: 0o711 });
        await files.makeDirectory(path, { mode: 0o777 });
      }
      return path;
    },
    remove: async (name) => files.remove(pathOf(name)),
  };
}
