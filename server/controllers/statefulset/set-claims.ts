import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/event-recorder.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import type { StatefulSet } from '../../../api/types/apps-v1.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { OwnerReference } from '../../../api/types/meta-v1.ts';
import type { ControllerSetup } from '../runtime/define-controller.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { claimName, claimsOf, podName } from './set-pod.ts';

type ReadonlySet = DeepReadonly<StatefulSet>;

/** Creates what claims of the ordinal are missing. */
export async function ensureClaims({ client, lister, events }: ControllerSetup, set: ReadonlySet, ordinal: number): Promise<void> {
  for (const claim of claimsOf(set, ordinal)) {
    const present = lister(persistentVolumeClaims).find(keyOf(claim));
    const pod = podName(set, ordinal);
    const { name } = claim.metadata;
    if (present?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
    if (present !== undefined) continue;
    const what = `create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name}`;
    try {
      await client(persistentVolumeClaims).create(claim);
      events.event(referenceTo(statefulSets, set), 'Normal', 'SuccessfulCreate', `${what} success`);
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) continue;
      events.event(referenceTo(statefulSets, set), 'Warning', 'FailedCreate', `${what} failed error: ${messageOf(error)}`);
      throw error;
    }
  }
}

/**
 * Who the claims of a Pod go with (KEP-1847): with the set if they are to be deleted with it, with the Pod if it is being
 * scaled away and they are to go then, with nobody otherwise. Set only where the set's policy asks for something.
 */
export async function syncClaimOwners(
  { client, lister }: ControllerSetup,
  set: ReadonlySet,
  pod: DeepReadonly<Pod>,
  ordinal: number,
  isCondemned: boolean,
): Promise<void> {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  for (const template of set.spec?.volumeClaimTemplates ?? []) {
    const key = { namespace: set.metadata.namespace ?? '', name: claimName(template, set, ordinal) };
    const claim = lister(persistentVolumeClaims).find(key);
    if (claim === undefined) continue;
    const own = (kind: string, apiVersion: string, of: ReadonlySet | DeepReadonly<Pod>): OwnerReference => ({
      apiVersion,
      kind,
      name: of.metadata.name ?? '',
      uid: of.metadata.uid ?? '',
    });
    const wanted: OwnerReference[] = [];
    if (whenScaled === 'Delete' && isCondemned) wanted.push(own('Pod', 'v1', pod));
    else if (whenDeleted === 'Delete') wanted.push(own('StatefulSet', 'apps/v1', set));
    const present = (claim.metadata.ownerReferences ?? []) as readonly OwnerReference[];
    const ours = ({ uid, kind, name }: OwnerReference) => uid === set.metadata.uid || (kind === 'Pod' && name === pod.metadata.name);
    const references = [...present.filter((reference) => !ours(reference)), ...wanted];
    if (isEqual(references, present)) continue;
    const copy = mutableCopy<PersistentVolumeClaim>(claim);
    copy.metadata.ownerReferences = references;
    await client(persistentVolumeClaims).update(copy);
  }
}
