import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { uniqueVolumeName } from '../../../api/semantics/storage/csi-volumes.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import { wellKnownTaints } from '../../../api/semantics/nodes/taints.ts';
import type { AttachedVolume, Node, PersistentVolume, Pod } from '../../../api/types/core-v1.ts';
import type { VolumeAttachment } from '../../../api/types/storage-v1.ts';

type Attachment = DeepReadonly<VolumeAttachment>;

/** A volume that Pods want at a node. */
export interface WantedVolume {
  readonly attachment: string;
  readonly volume: DeepReadonly<PersistentVolume>;
  readonly pods: readonly DeepReadonly<Pod>[];
}

interface NodeAttachments {
  readonly node: DeepReadonly<Node> | undefined;
  readonly wanted: readonly WantedVolume[];
  /** VolumeAttachments to this node. */
  readonly present: readonly Attachment[];
  /** Whether another node has the volume, or is about to have it. */
  readonly isElsewhere: (volumeName: string) => boolean;
  /** Unique name of the volume of an attachment, if its volume is known. */
  readonly uniqueName: (attachment: Attachment) => string | undefined;
  /** The milliseconds for which no Pod has needed the attachment. */
  readonly unwantedMs: (name: string) => number;
}

export interface AttachmentPlan {
  readonly attach: readonly WantedVolume[];
  /** Another node has to let them go first. */
  readonly blocked: readonly WantedVolume[];
  /** The node still uses some of them: looked at again later. */
  readonly busy: readonly string[];
  readonly detach: readonly string[];
  /** The volumes that the node's status shall list. */
  readonly attached: readonly AttachedVolume[];
}

/** A node that does not answer is not waited for longer. */
export const maxWaitMs = 6 * 60_000;

/** The names of attachments that this controller makes; attachments with other names belong to other controllers. */
const ownName = /^csi-[0-9a-f]{64}$/;

/** Plans which volumes are attached to one node and detached from it. Pure. */
export function planAttachments(input: NodeAttachments): AttachmentPlan {
  const { node, wanted, present, isElsewhere, uniqueName, unwantedMs } = input;
  const names = new Set(wanted.map(({ attachment }) => attachment));
  const known = new Set(present.map(({ metadata }) => metadata.name));
  const missing = wanted.filter(({ attachment }) => !known.has(attachment));
  const blocked = missing.filter(({ volume }) => isExclusive(volume) && isElsewhere(volume.metadata.name ?? ''));
  const inUse = new Set(node?.status?.volumesInUse ?? []);
  const unwanted = present.filter(
    ({ metadata }) => !names.has(metadata.name ?? '') && ownName.test(metadata.name ?? '') && metadata.deletionTimestamp === undefined,
  );
  const isBusy = (attachment: Attachment) => {
    const name = uniqueName(attachment);
    if (node === undefined || name === undefined || !inUse.has(name)) return false;
    if (isOutOfService(node)) return false;
    return isNodeReady(node) || unwantedMs(attachment.metadata.name ?? '') < maxWaitMs;
  };
  const busy = unwanted.filter(isBusy);
  const detach = unwanted.filter((attachment) => !busy.includes(attachment));
  const going = new Set(detach.map(({ metadata }) => metadata.name));
  return {
    attach: missing.filter((one) => !blocked.includes(one)),
    blocked,
    busy: busy.map(({ metadata }) => metadata.name ?? ''),
    detach: detach.map(({ metadata }) => metadata.name ?? ''),
    attached: present.flatMap((attachment) => {
      const { metadata, status } = attachment;
      const name = uniqueName(attachment);
      if (!status?.attached || metadata.deletionTimestamp !== undefined || going.has(metadata.name) || name === undefined) return [];
      return [{ name, devicePath: '' }];
    }),
  };
}

/** Whether the volume may be attached to only one node at a time. */
function isExclusive({ spec }: DeepReadonly<PersistentVolume>): boolean {
  const modes = spec?.accessModes ?? [];
  return modes.length > 0 && !modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany');
}

function isOutOfService({ spec }: DeepReadonly<Node>): boolean {
  return spec?.taints?.some(({ key }) => key === wellKnownTaints.outOfService) ?? false;
}

export function uniqueNameOf({ spec }: DeepReadonly<PersistentVolume>): string | undefined {
  return spec?.csi === undefined ? undefined : uniqueVolumeName(spec.csi.driver, spec.csi.volumeHandle);
}
