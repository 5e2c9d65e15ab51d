import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { compareQuantities, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../api/base/quantity/quantity.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import { findMatchingVolume, isVolumeForClaim, isVolumeReachable } from '../../../api/semantics/storage/match-volume.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import { claimedVolumes, isClaimOfPod } from '../../../api/semantics/pods/pod-claims.ts';
import { waitsForConsumer } from '../../../api/semantics/storage/storage-classes.ts';
import { bindCompletedAnnotation, selectedNodeAnnotation } from '../../../api/semantics/storage/volume-annotations.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { StorageClass } from '../../../api/types/storage-v1.ts';
import type { ClusterState } from '../framework/cluster-state.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Volume = DeepReadonly<PersistentVolume>;

/** The claims of one pod, grouped by the steps that are needed before it can run. */
export interface PodClaims {
  readonly bound: readonly Claim[];
  /** The choice of the node decides about their volumes. */
  readonly delayed: readonly DelayedClaim[];
}

interface DelayedClaim {
  readonly claim: Claim;
  /** The volumes that may be bound to the claim on some node: searched once and not for every node. */
  readonly candidates: readonly Volume[];
}

/** Undefined: the pod has no claims. `problem`: it cannot be scheduled anywhere yet. */
export function sortClaims(pod: DeepReadonly<Pod>, cluster: ClusterState): PodClaims | { readonly problem: string } | undefined {
  const namespace = pod.metadata.namespace ?? '';
  const bound: Claim[] = [];
  const delayed: Claim[] = [];
  let hasImmediate = false;
  const claimed = claimedVolumes(pod);
  if (claimed.length === 0) return undefined;
  for (const { claimName, isEphemeral } of claimed) {
    const claim = cluster.findClaim(namespace, claimName);
    const problem = findProblem(pod, claim, claimName, isEphemeral);
    if (problem !== undefined) return { problem };
    if (claim === undefined) continue;
    if (isBound(claim)) bound.push(claim);
    else if (!claim.spec?.volumeName && waitsForConsumer(cluster.findStorageClass(storageClassOf(claim)))) delayed.push(claim);
    else hasImmediate = true;
  }
  if (hasImmediate) return { problem: 'pod has unbound immediate PersistentVolumeClaims' };
  return { bound, delayed: delayed.map((claim) => ({ claim, candidates: candidatesFor(claim, cluster) })) };
}

function candidatesFor(claim: Claim, cluster: ClusterState): Volume[] {
  if (claim.metadata.annotations?.[selectedNodeAnnotation] !== undefined) return [];
  const className = storageClassOf(claim);
  return cluster
    .volumes()
    .filter((volume) => (volume.spec?.claimRef === undefined ? storageClassOf(volume) === className : isVolumeForClaim(volume, claim)));
}

export function isBound({ metadata, spec }: Claim): boolean {
  return Boolean(spec?.volumeName) && Object.hasOwn(metadata.annotations ?? {}, bindCompletedAnnotation);
}

function findProblem(pod: DeepReadonly<Pod>, claim: Claim | undefined, name: string, isEphemeral: boolean): string | undefined {
  if (claim === undefined) {
    return isEphemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`;
  }
  if (claim.status?.phase === 'Lost')
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName}"`;
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  if (!isEphemeral || isClaimOfPod(claim, pod)) return undefined;
  const { namespace } = claim.metadata;
  return `PVC ${namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
}

/** The changes to the delayed claims of a pod if it were scheduled to a certain node. */
interface NodeVolumes {
  readonly matches: readonly { readonly claim: Claim; readonly volume: Volume }[];
  readonly provisions: readonly Claim[];
}

const volumeReasons = {
  nodeConflict: "node(s) didn't match PersistentVolume's node affinity",
  bindConflict: "node(s) didn't find available persistent volumes to bind",
  notEnoughSpace: 'node(s) did not have enough free storage',
  volumeMissing: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const;

/** Finds volumes for the claims on a node, or the reasons why it does not fit. Pure. */
export function findNodeVolumes(
  { bound, delayed }: PodClaims,
  node: DeepReadonly<Node>,
  cluster: ClusterState,
): NodeVolumes | { readonly reasons: readonly string[] } {
  const reasons: string[] = checkBound(bound, node, cluster);
  const found = placeDelayed(delayed, node, cluster);
  if (typeof found === 'string') return { reasons: [...reasons, found] };
  return reasons.length > 0 ? { reasons } : found;
}

function checkBound(claims: readonly Claim[], node: DeepReadonly<Node>, cluster: ClusterState): string[] {
  for (const { spec } of claims) {
    const volume = cluster.findVolume(spec?.volumeName ?? '');
    if (volume === undefined) return [volumeReasons.volumeMissing];
    if (!isVolumeReachable(volume, node)) return [volumeReasons.nodeConflict];
  }
  return [];
}

function placeDelayed(claims: readonly DelayedClaim[], node: DeepReadonly<Node>, cluster: ClusterState): NodeVolumes | string {
  const matches: { claim: Claim; volume: Volume }[] = [];
  const provisions: Claim[] = [];
  const taken = new Set<string>();
  // Small claims come first, so that they do not take a volume that only a large claim needs.
  for (const { claim, candidates } of [...claims].sort((a, b) => compareQuantities(sizeOf(a.claim), sizeOf(b.claim)))) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined && selected !== node.metadata.name) return volumeReasons.bindConflict;
    const volume = findMatchingVolume(claim, candidates, { node, taken });
    if (volume === undefined) provisions.push(claim);
    else {
      matches.push({ claim, volume });
      taken.add(volume.metadata.name ?? '');
    }
  }
  for (const claim of provisions) {
    const refusal = whyNotProvisioned(claim, node, cluster);
    if (refusal !== undefined) return refusal;
  }
  return { matches, provisions };
}

function sizeOf({ spec }: Claim) {
  return parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
}

function whyNotProvisioned(claim: Claim, node: DeepReadonly<Node>, cluster: ClusterState): string | undefined {
  const storageClass = cluster.findStorageClass(storageClassOf(claim));
  if (storageClass === undefined || storageClass.provisioner === 'kubernetes.io/no-provisioner') return volumeReasons.bindConflict;
  if (!isInTopology(storageClass, node)) return volumeReasons.bindConflict;
  return hasCapacity(claim, storageClass, node, cluster) ? undefined : volumeReasons.notEnoughSpace;
}

function isInTopology({ allowedTopologies = [] }: DeepReadonly<StorageClass>, { metadata }: DeepReadonly<Node>): boolean {
  if (allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? '')),
  );
}

/** Only of drivers that say how much they have. */
function hasCapacity(
  claim: Claim,
  { metadata, provisioner }: DeepReadonly<StorageClass>,
  node: DeepReadonly<Node>,
  cluster: ClusterState,
): boolean {
  const wanted = claim.spec?.resources?.requests?.['storage'];
  if (wanted === undefined || cluster.findCSIDriver(provisioner)?.spec.storageCapacity !== true) return true;
  return cluster.storageCapacities().some((capacity) => {
    const limit = capacity.maximumVolumeSize ?? capacity.capacity;
    if (capacity.storageClassName !== metadata.name || limit === undefined || capacity.nodeTopology === undefined) return false;
    return quantityValue(limit) >= quantityValue(wanted) && matchesLabelSelector(capacity.nodeTopology, node.metadata.labels);
  });
}
