import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { compareQuantities } from '../../base/quantity/arithmetic.ts';
import { parseQuantity, type Quantity } from '../../base/quantity/quantity.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../types/core-v1.ts';
import { matchesLabelSelector } from '../../selectors/label-selectors.ts';
import { matchesNodeSelector } from '../nodes/node-selectors.ts';
import { storageClassOf } from './persistent-volumes.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** Whether the volume names this claim, by name alone or, once that is set, by uid too. */
export function isVolumeForClaim(volume: Volume, claim: Claim): boolean {
  const reference = volume.spec?.claimRef;
  if (reference === undefined) return false;
  const { name, namespace, uid } = claim.metadata;
  return reference.name === name && reference.namespace === namespace && (!reference.uid || reference.uid === uid);
}

/** Whether a node can reach the volume. */
export function isVolumeReachable(volume: Volume, node: DeepReadonly<Node>): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, node);
}

/** Why a volume that the claim asks for by name cannot serve it; undefined: it can. */
export function findVolumeMismatch(volume: Volume, claim: Claim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0) return 'requested PV is too small';
  if (storageClassOf(volume) !== storageClassOf(claim)) return 'storageClassName does not match';
  if (attributesClassOf(volume) !== attributesClassOf(claim)) return 'volumeAttributesClassName does not match';
  if (!hasSameMode(volume, claim)) return 'incompatible volumeMode';
  if (!offersAccessModes(volume, claim)) return 'incompatible accessMode';
  return undefined;
}

export interface MatchOptions {
  /** The node that has to reach the volume. Absent: any node may. */
  readonly node?: DeepReadonly<Node>;
  /** Names of volumes that are promised already. */
  readonly taken?: ReadonlySet<string>;
  /** Only volumes reserved for the claim match; other volumes are left to the scheduler. */
  readonly reservedOnly?: boolean;
}

/** The volume reserved for the claim, else the smallest that has all it asks for. */
export function findMatchingVolume(claim: Claim, volumes: readonly Volume[], options: MatchOptions = {}): Volume | undefined {
  const { node, taken, reservedOnly = false } = options;
  const wanted = requestOf(claim);
  let best: { readonly volume: Volume; readonly capacity: Quantity } | undefined;
  for (const volume of volumes) {
    if (taken?.has(volume.metadata.name ?? '')) continue;
    const isReserved = isVolumeForClaim(volume, claim);
    if (volume.spec?.claimRef !== undefined && !isReserved) continue;
    const capacity = capacityOf(volume);
    if (compareQuantities(capacity, wanted) < 0 || !hasSameMode(volume, claim)) continue;
    if (attributesClassOf(volume) !== attributesClassOf(claim) || volume.metadata.deletionTimestamp !== undefined) continue;
    const isReachable = node === undefined || isVolumeReachable(volume, node);
    if (isReserved) return isReachable ? volume : undefined;
    if (reservedOnly || !isReachable || !isOnOffer(volume, claim)) continue;
    if (best === undefined || compareQuantities(capacity, best.capacity) < 0) best = { volume, capacity };
  }
  return best?.volume;
}

function isOnOffer(volume: Volume, claim: Claim): boolean {
  return (
    volume.status?.phase === 'Available' &&
    storageClassOf(volume) === storageClassOf(claim) &&
    (claim.spec?.selector === undefined || matchesLabelSelector(claim.spec.selector, volume.metadata.labels)) &&
    offersAccessModes(volume, claim)
  );
}

export function hasSameMode(volume: Volume, claim: Claim): boolean {
  return (volume.spec?.volumeMode ?? 'Filesystem') === (claim.spec?.volumeMode ?? 'Filesystem');
}

function offersAccessModes(volume: Volume, claim: Claim): boolean {
  return (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode));
}

function attributesClassOf({ spec }: Claim | Volume): string {
  return spec?.volumeAttributesClassName ?? '';
}

function capacityOf({ spec }: Volume): Quantity {
  return parseQuantity(spec?.capacity?.['storage'] ?? '0');
}

function requestOf({ spec }: Claim): Quantity {
  return parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
}
