import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';

/**
 * Mode of the group on the top of a volume that belongs to the group already; with the top of a volume that is the group's
 * already; with the set-group-id bit.
 */
const groupAccess = 0o2770;
const groupReadAccess = 0o2550;

/** Changes the group of the volume to the Pod's fsGroup, if it has one; with OnRootMismatch only if its root has another group. */
export async function applyFSGroup(
  files: HostFiles,
  pod: DeepReadonly<Pod>,
  directory: string,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
  if (fsGroup === undefined || readOnly) return;
  if (fsGroupChangePolicy === 'OnRootMismatch' && (await isOfGroup(files, directory, fsGroup))) return;
  await files.setGroupRecursively(directory, fsGroup);
}

async function isOfGroup(files: HostFiles, directory: string, fsGroup: number): Promise<boolean> {
  const facts = await files.facts(directory);
  if (facts?.gid !== fsGroup) return false;
  const wanted = facts.kind === 'directory' ? groupAccess & 0o2070 : groupReadAccess & 0o0060;
  return (facts.mode & wanted) === wanted;
}
