import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { matchesNodeSelector } from '../../../api/semantics/node-selectors.ts';
import type { PersistentVolume, Pod } from '../../../api/types/core-v1.ts';
import { defineSchedulerPlugin, skip, unresolvable } from '../framework/framework.ts';

const name = 'VolumeBinding';

/** Keeps a pod waiting until its claims are bound, and on nodes that can reach their volumes. */
export const volumeBinding = defineSchedulerPlugin({
  name,
  retryOn: ['PersistentVolumeClaimChange', 'PersistentVolumeChange', 'NodeAdd', 'NodeUpdate'],
  preFilter(state, pod, cluster) {
    const claims = claimNames(pod);
    if (claims.length === 0) return { status: skip };
    const volumes: DeepReadonly<PersistentVolume>[] = [];
    for (const claimName of claims) {
      const claim = cluster.findClaim(pod.metadata.namespace ?? '', claimName);
      if (!claim) return { status: unresolvable(`persistentvolumeclaim "${claimName}" not found`) };
      if (claim.metadata.deletionTimestamp) return { status: unresolvable(`persistentvolumeclaim "${claimName}" is being deleted`) };
      const volume = claim.status?.phase === 'Bound' ? cluster.findVolume(claim.spec?.volumeName ?? '') : undefined;
      if (!volume) return { status: unresolvable('pod has unbound immediate PersistentVolumeClaims. not found') };
      volumes.push(volume);
    }
    state.set(name, volumes);
    return undefined;
  },
  filter(state, _pod, node) {
    for (const volume of state.get(name) as readonly DeepReadonly<PersistentVolume>[]) {
      const required = volume.spec?.nodeAffinity?.required;
      if (required && !matchesNodeSelector(required, node.node))
        return unresolvable("node(s) didn't match PersistentVolume's node affinity");
    }
    return undefined;
  },
});

function claimNames(pod: DeepReadonly<Pod>): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [`${pod.metadata.name}-${volume.name}`] : [];
  });
}
