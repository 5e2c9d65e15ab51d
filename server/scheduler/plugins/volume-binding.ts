import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { isVolumeForClaim } from '../../../api/semantics/storage/match-volume.ts';
import { boundByControllerAnnotation, selectedNodeAnnotation } from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import { defineSchedulerPlugin, skip, unresolvable } from '../framework/framework.ts';
import { findNodeVolumes, type PodClaims, sortClaims } from '../volumes/pod-volumes.ts';

const name = 'VolumeBinding';

/** Keeps a pod waiting until its claims can be served, on nodes that can reach their volumes, and chooses volumes for those that wait for it. */
export const volumeBinding = defineSchedulerPlugin({
  name,
  retryOn: [
    'PersistentVolumeClaimChange',
    'PersistentVolumeChange',
    'StorageClassChange',
    'CSIDriverChange',
    'CSIStorageCapacityChange',
    'NodeAdd',
    'NodeUpdate',
  ],
  preFilter(state, pod, cluster) {
    const claims = sortClaims(pod, cluster);
    if (claims === undefined) return { status: skip };
    if ('problem' in claims) return { status: unresolvable(claims.problem) };
    state.set(name, claims);
    return undefined;
  },
  filter(state, _pod, node, cluster) {
    const found = findNodeVolumes(state.get(name) as PodClaims, node.node, cluster);
    return 'reasons' in found ? unresolvable(...found.reasons) : undefined;
  },
  reserve(pod, node, cluster) {
    const claims = sortClaims(pod, cluster);
    if (claims === undefined) return undefined;
    // The claims have just fitted there.
    if ('problem' in claims) throw new Error(claims.problem);
    const found = findNodeVolumes(claims, node.node, cluster);
    if ('reasons' in found) throw new Error(found.reasons.join(', '));
    if (claims.delayed.length === 0) return undefined;
    return {
      kind: 'volumes',
      volumes: found.matches.map(({ volume, claim }) => ({ before: volume, after: reservedVolume(volume, claim) })),
      claims: found.provisions.flatMap((claim) =>
        claim.metadata.annotations?.[selectedNodeAnnotation] === undefined
          ? [{ before: claim, after: claimForNode(claim, node.name) }]
          : [],
      ),
    };
  },
});

function reservedVolume(volume: DeepReadonly<PersistentVolume>, claim: DeepReadonly<PersistentVolumeClaim>): PersistentVolume {
  const changed = mutableCopy<PersistentVolume>(volume);
  if (!isVolumeForClaim(volume, claim)) {
    changed.metadata.annotations = { ...changed.metadata.annotations, [boundByControllerAnnotation]: 'yes' };
  }
  changed.spec = { ...changed.spec, claimRef: referenceTo(persistentVolumeClaims, claim) };
  return changed;
}

function claimForNode(claim: DeepReadonly<PersistentVolumeClaim>, nodeName: string): PersistentVolumeClaim {
  const changed = mutableCopy<PersistentVolumeClaim>(claim);
  changed.metadata.annotations = { ...changed.metadata.annotations, [selectedNodeAnnotation]: nodeName };
  return changed;
}
