import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { IDMapping, MountConfig, NamespaceOptions } from '../../cri/messages.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';

/** The first of the machine's ids that a Pod's ids 0 to 65535 are mapped to. */
export type UserRange = number;

const length = 65_536;

interface UserNamespacesDependencies {
  readonly files: HostFiles;
  readonly podsDirectory: string;
  readonly maxPods: number;
  /** Whether the runtime can do it, by the name of its handler. */
  readonly isSupported: (handler: string) => Promise<boolean>;
}

/** Gives Pods that do not want to share the machine's users a range of ids each, which no other Pod has (KEP-127). */
export interface UserNamespaces {
  /** Undefined for Pods that use the machine's. Remembered on disk as long as the Pod's folder is there. Throws in upstream's words. */
  rangeOf(pod: DeepReadonly<Pod>, handler: string): Promise<UserRange | undefined>;
  forget(uid: string): void;
}

export function createUserNamespaces({ files, podsDirectory, maxPods, isSupported }: UserNamespacesDependencies): UserNamespaces {
  const taken = new Map<string, UserRange>();
  let known: Promise<void> | undefined;
  const fileOf = (uid: string) => `${podsDirectory}/${uid}/userns`;
  const readAll = async () => {
    for (const uid of await files.names(podsDirectory)) {
      const text = await files.findText(fileOf(uid));
      if (text !== undefined && /^\d+$/.test(text)) taken.set(uid, Number(text));
    }
  };
  return {
    async rangeOf(pod, handler) {
      if (pod.spec?.hostUsers !== false) return undefined;
      const { uid = '' } = pod.metadata;
      if (!(await isSupported(handler))) throw new Error(`RuntimeClass handler "${handler}" does not support user namespaces`);
      await (known ??= readAll());
      const present = taken.get(uid);
      if (present !== undefined) return present;
      const inUse = new Set(taken.values());
      // The first range is the machine's own.
      for (let index = 1; index <= maxPods; index++) {
        const range = index * length;
        if (inUse.has(range)) continue;
        taken.set(uid, range);
        await files.write(fileOf(uid), String(range), { mode: 0o600 });
        return range;
      }
      throw new Error('could not find an empty slot to allocate a user namespace');
    },
    forget: (uid) => void taken.delete(uid),
  };
}

export function userNamespaceOptions(range: UserRange | undefined): Pick<NamespaceOptions, 'userns_options'> {
  if (range === undefined) return {};
  const mapping = mappingOf(range);
  return { userns_options: { mode: 'POD', uids: mapping, gids: mapping } };
}

/** An id on disk is the same id in the Pod, whatever range it has. */
export function mountMappings(range: UserRange | undefined): Pick<MountConfig, 'uidMappings' | 'gidMappings'> {
  if (range === undefined) return {};
  const mapping = mappingOf(range);
  return { uidMappings: mapping, gidMappings: mapping };
}

function mappingOf(range: UserRange): IDMapping[] {
  return [{ host_id: range, container_id: 0, length }];
}
