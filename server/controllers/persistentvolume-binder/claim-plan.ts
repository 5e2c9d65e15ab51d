import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findMatchingVolume, findVolumeMismatch, isVolumeForClaim } from '../../../api/semantics/storage/match-volume.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import { findDefaultStorageClass, namesStorageClass, waitsForConsumer } from '../../../api/semantics/storage/storage-classes.ts';
import {
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  selectedNodeAnnotation,
} from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { StorageClass } from '../../../api/types/storage-v1.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** The next step for a claim. */
export type ClaimPlan =
  | { readonly do: 'bind'; readonly volume: Volume }
  | { readonly do: 'assignClass'; readonly className: string }
  /** Others make the volume: they are asked, and waited for. */
  | { readonly do: 'provision'; readonly provisioner: string }
  /** `isBroken`: this state cannot come about by itself, it is also reported as an error. */
  | { readonly do: 'wait'; readonly event?: EventText; readonly isBroken?: boolean }
  | { readonly do: 'lose'; readonly event: EventText };

interface ClaimSurroundings {
  readonly findVolume: (name: string) => Volume | undefined;
  readonly volumes: () => readonly Volume[];
  readonly findClass: (name: string) => DeepReadonly<StorageClass> | undefined;
  readonly classes: () => readonly DeepReadonly<StorageClass>[];
  /** Names of the Pods without a node that use the claim. */
  readonly waitingPods: () => readonly string[];
}

/** Decides about one claim from the volumes and classes in the cache. Pure. */
export function planClaim(claim: Claim, surroundings: ClaimSurroundings): ClaimPlan {
  if (Object.hasOwn(claim.metadata.annotations ?? {}, bindCompletedAnnotation)) return planBoundClaim(claim, surroundings);
  const name = claim.spec?.volumeName ?? '';
  return name === '' ? planOpenClaim(claim, surroundings) : planClaimOfVolume(claim, surroundings.findVolume(name));
}

/** The user does not care which volume it is. */
function planOpenClaim(claim: Claim, surroundings: ClaimSurroundings): ClaimPlan {
  const className = storageClassOf(claim);
  const storageClass = className === '' ? undefined : surroundings.findClass(className);
  const isDelayed = waitsForConsumer(storageClass);
  const volume = findMatchingVolume(claim, surroundings.volumes(), { reservedOnly: isDelayed });
  if (volume !== undefined) return { do: 'bind', volume };
  if (!namesStorageClass(claim)) {
    const byDefault = findDefaultStorageClass(surroundings.classes());
    if (byDefault?.metadata.name !== undefined) return { do: 'assignClass', className: byDefault.metadata.name };
  }
  if (isDelayed && !Object.hasOwn(claim.metadata.annotations ?? {}, selectedNodeAnnotation))
    return { do: 'wait', event: waitingFor(surroundings.waitingPods()) };
  if (className === '') {
    return wait('Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  }
  if (storageClass === undefined) return wait('Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
  const { provisioner } = storageClass;
  if (provisioner.startsWith('kubernetes.io/')) {
    return wait('Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`);
  }
  return { do: 'provision', provisioner };
}

function waitingFor(pods: readonly string[]): EventText {
  const [first, ...others] = pods;
  if (first === undefined) {
    return { type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer to be created before binding' };
  }
  const message = `waiting for pod${others.length > 0 ? 's' : ''} ${pods.join(',')} to be scheduled`;
  return { type: 'Normal', reason: 'WaitForPodScheduled', message };
}

/** Plans a claim whose user asks for one certain volume. */
function planClaimOfVolume(claim: Claim, volume: Volume | undefined): ClaimPlan {
  if (volume === undefined) return { do: 'wait' };
  if (volume.spec?.claimRef === undefined) {
    const mismatch = findVolumeMismatch(volume, claim);
    if (mismatch === undefined) return { do: 'bind', volume };
    return wait('Warning', 'VolumeMismatch', `Cannot bind to requested volume "${volume.metadata.name}": ${mismatch}`);
  }
  if (isVolumeForClaim(volume, claim)) return { do: 'bind', volume };
  const { event } = wait('Warning', 'FailedBinding', `volume "${volume.metadata.name}" already bound to a different claim.`);
  const isBroken = Object.hasOwn(claim.metadata.annotations ?? {}, boundByControllerAnnotation);
  return { do: 'wait', event, isBroken };
}

function planBoundClaim(claim: Claim, { findVolume }: ClaimSurroundings): ClaimPlan {
  const name = claim.spec?.volumeName ?? '';
  if (name === '') return lose('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  const volume = findVolume(name);
  if (volume === undefined) return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const reference = volume.spec?.claimRef;
  if (reference === undefined || reference.uid === claim.metadata.uid) return { do: 'bind', volume };
  return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

function wait(type: EventText['type'], reason: string, message: string) {
  return { do: 'wait', event: { type, reason, message } } as const;
}

function lose(reason: string, message: string): ClaimPlan {
  return { do: 'lose', event: { type: 'Warning', reason, message } };
}
