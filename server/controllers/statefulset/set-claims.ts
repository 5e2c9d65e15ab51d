import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import type { StatefulSet } from '../../../api/types/apps-v1.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { ControllerSetup } from '../runtime/define-controller.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { isOfKind, planClaimOwners } from './claim-owners.ts';
import { claimName, claimsOf, podName } from './set-pod.ts';

type ReadonlySet = DeepReadonly<StatefulSet>;

/** Creates the missing claims of the ordinal. */
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

/** Whether the Pod of this ordinal must wait: a claim is still owned by an earlier Pod of this name and will go with it. */
export function hasStaleClaim({ lister }: ControllerSetup, set: ReadonlySet, ordinal: number): boolean {
  if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return false;
  const name = podName(set, ordinal);
  return claimsOf(set, ordinal).some((claim) =>
    lister(persistentVolumeClaims)
      .find(keyOf(claim))
      ?.metadata.ownerReferences?.some((reference) => isOfKind(reference, 'v1', 'Pod') && reference.name === name),
  );
}

/** Gives the claims of a Pod the owners that the set's retention policy asks for. */
export async function syncClaimOwners(
  { client, lister, events }: ControllerSetup,
  set: ReadonlySet,
  pod: DeepReadonly<Pod>,
  ordinal: number,
  isCondemned: boolean,
): Promise<void> {
  for (const template of set.spec?.volumeClaimTemplates ?? []) {
    const key = { namespace: set.metadata.namespace ?? '', name: claimName(template, set, ordinal) };
    const claim = lister(persistentVolumeClaims).find(key);
    if (claim === undefined) continue;
    const plan = planClaimOwners(set, pod, isCondemned, claim.metadata.ownerReferences ?? []);
    if (plan === undefined) continue;
    if (plan.hasConflict) {
      const message = `PersistentVolumeClaim ${key.name} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`;
      events.event(referenceTo(statefulSets, set), 'Warning', 'ConflictingController', message);
    }
    const copy = mutableCopy<PersistentVolumeClaim>(claim);
    copy.metadata.ownerReferences = plan.references;
    await client(persistentVolumeClaims).update(copy);
  }
}
