import { createHash } from 'node:crypto';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { csiDrivers } from '../../../api/resources/storage/v1/csi-driver.ts';
import { volumeAttachments } from '../../../api/resources/storage/v1/volume-attachment.ts';
import { attachmentName, needsAttachment } from '../../../api/semantics/storage/csi-volumes.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import { claimedVolumes } from '../../../api/semantics/pods/pod-claims.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import type { VolumeAttachment } from '../../../api/types/storage-v1.ts';
import {
  type ControllerSetup,
  defineController,
  done,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { type AttachmentPlan, planAttachments, uniqueNameOf, type WantedVolume } from './attachment-plan.ts';
import { rules } from './rbac.ts';

const nodeIndex = 'node';
const volumeIndex = 'volume';
/** The seconds until the next attempt when something that no watch reports must be waited for. */
const againSeconds = 5;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const nodeKey = (name: string | undefined): ObjectKey[] => (name ? [{ namespace: '', name }] : []);

/** Has storage drivers attach volumes to the nodes whose Pods use them, and detach them when the nodes have let them go. */
export const attachDetachController = defineController({
  name: 'persistentvolume-attach-detach-controller',
  account: 'attachdetach-controller',
  component: 'attachdetach-controller',
  for: nodes,
  concerns: hasChanged,
  reads: [persistentVolumeClaims, persistentVolumes, csiDrivers],
  watches: [
    watching(
      pods,
      (pod) => (claimedVolumes(pod).length > 0 ? nodeKey(pod.spec?.nodeName) : []),
      (pod, old) => isPodFinished(pod) !== isPodFinished(old) || pod.spec?.nodeName !== old.spec?.nodeName,
    ),
    watching(volumeAttachments, ({ spec }) => nodeKey(spec.nodeName)),
  ],
  rules,
  setUp(setup) {
    setup.informer(pods).addIndex(nodeIndex, (pod) => (pod.spec?.nodeName && !isPodFinished(pod) ? [pod.spec.nodeName] : []));
    setup.informer(volumeAttachments).addIndex(nodeIndex, ({ spec }) => [spec.nodeName]);
    setup.informer(volumeAttachments).addIndex(volumeIndex, ({ spec }) => [spec.source.persistentVolumeName ?? '']);
    const memory: Memory = { unwantedSinceMs: new Map(), told: new Map() };
    return (key) => reconcile(key, setup, memory);
  },
});

interface Memory {
  readonly unwantedSinceMs: Map<string, number>;
  /** The last message of each attachment: a message is sent once. */
  readonly told: Map<string, string>;
}

function hasChanged(node: DeepReadonly<Node>, old: DeepReadonly<Node>): boolean {
  const seen = (one: DeepReadonly<Node>) => [
    one.status?.volumesInUse ?? [],
    one.status?.volumesAttached ?? [],
    one.spec?.taints,
    isNodeReady(one),
  ];
  return !isSemanticallyEqual(seen(node), seen(old));
}

async function reconcile(key: ObjectKey, setup: ControllerSetup, memory: Memory): Promise<ReconcileResult> {
  const { lister, clock } = setup;
  const node = lister(nodes).find(key);
  const { wanted, isComplete } = wantedAt(key.name, setup);
  const present = lister(volumeAttachments).byIndex(nodeIndex, key.name);
  const nowMs = clock.monotonicMs();
  for (const { attachment } of wanted) memory.unwantedSinceMs.delete(attachment);
  const plan = planAttachments({
    node,
    wanted,
    present,
    isElsewhere: (volume) =>
      lister(volumeAttachments)
        .byIndex(volumeIndex, volume)
        .some(({ spec }) => spec.nodeName !== key.name),
    uniqueName: ({ spec }) => {
      const volume = lister(persistentVolumes).find({ namespace: '', name: spec.source.persistentVolumeName ?? '' });
      return volume && uniqueNameOf(volume);
    },
    unwantedMs(name) {
      const since = memory.unwantedSinceMs.get(name) ?? nowMs;
      memory.unwantedSinceMs.set(name, since);
      return nowMs - since;
    },
  });
  // The node is told first, or it would start a Pod on a volume that is being detached.
  await reportAttached(setup, node, plan.attached);
  for (const name of plan.detach) {
    memory.unwantedSinceMs.delete(name);
    memory.told.delete(name);
    await ignoreNotFound(setup.client(volumeAttachments).delete({ namespace: '', name }));
  }
  for (const one of plan.attach) await attach(setup, key.name, one);
  tell(setup, memory, wanted, present, plan);
  const waits = plan.busy.length > 0 || plan.blocked.length > 0 || !isComplete;
  return waits ? requeueAfterSeconds(againSeconds) : done;
}

/** The volumes that Pods at the node use and that have to be attached. `isComplete`: all about them is known. */
function wantedAt(nodeName: string, { lister }: ControllerSetup): { readonly wanted: WantedVolume[]; readonly isComplete: boolean } {
  const found = new Map<string, { volume: WantedVolume['volume']; pods: DeepReadonly<Pod>[] }>();
  let isComplete = true;
  for (const pod of lister(pods).byIndex(nodeIndex, nodeName)) {
    for (const { claimName } of claimedVolumes(pod)) {
      const claim = lister(persistentVolumeClaims).find({ namespace: pod.metadata.namespace ?? '', name: claimName });
      const volume = claim?.spec?.volumeName ? lister(persistentVolumes).find({ namespace: '', name: claim.spec.volumeName }) : undefined;
      if (volume === undefined) {
        isComplete = false;
        continue;
      }
      const { csi } = volume.spec ?? {};
      if (csi === undefined || !needsAttachment(lister(csiDrivers).find({ namespace: '', name: csi.driver }))) continue;
      const name = attachmentName(sha256, { handle: csi.volumeHandle, driver: csi.driver, nodeName });
      const entry = found.get(name) ?? { volume, pods: [] };
      entry.pods.push(pod);
      found.set(name, entry);
    }
  }
  return { wanted: [...found].map(([attachment, entry]) => ({ attachment, ...entry })), isComplete };
}

async function reportAttached(
  { client }: ControllerSetup,
  node: DeepReadonly<Node> | undefined,
  attached: AttachmentPlan['attached'],
): Promise<void> {
  if (node === undefined || isSemanticallyEqual(node.status?.volumesAttached ?? [], attached)) return;
  const body = { status: { volumesAttached: attached.length === 0 ? null : attached } };
  await ignoreNotFound(client(nodes).patch(keyOf(node), { type: 'merge', body }, { subresource: 'status' }));
}

async function attach({ client }: ControllerSetup, nodeName: string, { attachment, volume }: WantedVolume): Promise<void> {
  const { name = '' } = volume.metadata;
  try {
    await client(volumeAttachments).create({
      metadata: { name: attachment },
      spec: { attacher: volume.spec?.csi?.driver ?? '', nodeName, source: { persistentVolumeName: name } },
    });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

/** Reports the results for volumes on the Pods that wait for them. */
function tell(
  { events }: ControllerSetup,
  { told }: Memory,
  wanted: readonly WantedVolume[],
  present: readonly DeepReadonly<VolumeAttachment>[],
  { blocked }: AttachmentPlan,
): void {
  for (const one of wanted) {
    const { volume, pods: users, attachment } = one;
    const { attached, attachError } = present.find(({ metadata }) => metadata.name === attachment)?.status ?? {};
    const name = `volume "${volume.metadata.name}"`;
    let message = '';
    if (blocked.includes(one)) {
      message = `Multi-Attach error for ${name} Volume is already exclusively attached to one node and can't be attached to another`;
    } else if (attached) message = `AttachVolume.Attach succeeded for ${name} `;
    else if (attachError?.message) message = `AttachVolume.Attach failed for ${name} : ${attachError.message}`;
    if (message === '' || told.get(attachment) === message) continue;
    told.set(attachment, message);
    for (const pod of users) {
      const reason = attached ? 'SuccessfulAttachVolume' : 'FailedAttachVolume';
      events.event(referenceTo(pods, pod), attached ? 'Normal' : 'Warning', reason, message);
    }
  }
}
