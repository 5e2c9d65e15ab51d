import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Client } from '../../../api/client/client.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { compareQuantities } from '../../../api/base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../api/base/quantity/quantity.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { isVolumeForClaim } from '../../../api/semantics/storage/match-volume.ts';
import {
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  preResizeCapacityAnnotation,
} from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus } from '../../../api/types/core-v1.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;
type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed';

/**
 * Binds a claim and a volume to each other: volume, its phase, claim, its phase, in this order, so that a bind that was interrupted
 * anywhere can be continued. Skips what is written already. Throws Conflict if either has changed since it was read.
 */
export async function bind(client: Client, volume: Volume, claim: Claim): Promise<void> {
  const bound = await setVolumePhase(client, await bindVolumeToClaim(client, volume, claim), 'Bound');
  await setClaimStatus(client, await bindClaimToVolume(client, claim, bound), 'Bound', bound);
}

async function bindVolumeToClaim(client: Client, volume: Volume, claim: Claim): Promise<Volume> {
  const reference = volume.spec?.claimRef;
  const isReserved = isVolumeForClaim(volume, claim);
  const isMarked = isReserved || Object.hasOwn(volume.metadata.annotations ?? {}, boundByControllerAnnotation);
  if (isReserved && reference?.uid === claim.metadata.uid && isMarked) return volume;
  const changed = mutableCopy<PersistentVolume>(volume);
  changed.spec = { ...changed.spec, claimRef: referenceTo(persistentVolumeClaims, claim) };
  if (!isMarked) changed.metadata.annotations = { ...changed.metadata.annotations, [boundByControllerAnnotation]: 'yes' };
  return client(persistentVolumes).update(changed);
}

async function bindClaimToVolume(client: Client, claim: Claim, volume: Volume): Promise<Claim> {
  const isLinked = claim.spec?.volumeName === volume.metadata.name;
  const annotations = { ...claim.metadata.annotations };
  if (isLinked && Object.hasOwn(annotations, bindCompletedAnnotation)) return claim;
  if (!isLinked) annotations[boundByControllerAnnotation] ??= 'yes';
  annotations[bindCompletedAnnotation] ??= 'yes';
  const changed = mutableCopy<PersistentVolumeClaim>(claim);
  changed.metadata.annotations = annotations;
  if (volume.metadata.name !== undefined) changed.spec = { ...changed.spec, volumeName: volume.metadata.name };
  return client(persistentVolumeClaims).update(changed);
}

export async function setVolumePhase(client: Client, volume: Volume, phase: VolumePhase, message = ''): Promise<Volume> {
  if (volume.status?.phase === phase) return volume;
  const changed = mutableCopy<PersistentVolume>(volume);
  const { message: _old, ...status } = changed.status ?? {};
  changed.status = { ...status, phase, ...(message === '' ? {} : { message }) };
  return client(persistentVolumes).updateStatus(changed);
}

/** Sets the claim's status to the volume's capacity and access modes, or clears them if there is no volume. */
export async function setClaimStatus(client: Client, claim: Claim, phase: 'Pending' | 'Bound' | 'Lost', volume?: Volume): Promise<Claim> {
  const status = claimStatus(claim, phase, volume);
  if (isSemanticallyEqual(status, claim.status)) return claim;
  return client(persistentVolumeClaims).updateStatus({ ...mutableCopy<PersistentVolumeClaim>(claim), status });
}

export function claimStatus({ status }: Claim, phase: 'Pending' | 'Bound' | 'Lost', volume?: Volume): PersistentVolumeClaimStatus {
  const before = mutableCopy<PersistentVolumeClaimStatus>(status ?? {});
  if (volume === undefined) {
    const { accessModes: _modes, capacity: _capacity, currentVolumeAttributesClassName: _class, ...rest } = before;
    return { ...rest, phase };
  }
  const result: PersistentVolumeClaimStatus = { ...before, phase, accessModes: [...(volume.spec?.accessModes ?? [])] };
  // A claim that is bound already may say less than its volume while that grows.
  if (status?.phase !== phase) result.capacity = capacityOf(volume, status?.capacity);
  const className = volume.spec?.volumeAttributesClassName;
  if (status?.phase !== 'Bound' && phase === 'Bound' && className !== undefined) result.currentVolumeAttributesClassName = className;
  return result;
}

function capacityOf({ metadata, spec }: Volume, present: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const storage = spec?.capacity?.['storage'];
  if (storage === undefined) throw new Error(`PersistentVolume "${metadata.name}" is without a storage capacity`);
  const before = metadata.annotations?.[preResizeCapacityAnnotation];
  if (before !== undefined) return { ...present, storage: before };
  const known = present?.['storage'];
  if (known !== undefined && compareQuantities(parseQuantity(known), parseQuantity(storage)) === 0) return { ...present };
  return { ...spec?.capacity };
}

/** Unbinds a volume: a binding by the control plane is removed; a user's reservation stays, by name. */
export async function unbind(client: Client, volume: Volume): Promise<void> {
  const changed = mutableCopy<PersistentVolume>(volume);
  const { [boundByControllerAnnotation]: mark, ...annotations } = changed.metadata.annotations ?? {};
  const { claimRef, ...spec } = changed.spec ?? {};
  if (mark !== undefined) {
    changed.spec = spec;
    if (Object.keys(annotations).length > 0) changed.metadata.annotations = annotations;
    else delete changed.metadata.annotations;
  } else if (claimRef !== undefined) {
    const { uid: _uid, ...rest } = claimRef;
    changed.spec = { ...spec, claimRef: rest };
  }
  await setVolumePhase(client, await client(persistentVolumes).update(changed), 'Available');
}
