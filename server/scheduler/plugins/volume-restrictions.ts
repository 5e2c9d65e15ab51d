import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { claimedVolumes, usesClaim } from '../../../api/semantics/pods/pod-claims.ts';
import type { Pod, Volume } from '../../../api/types/core-v1.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import { defineSchedulerPlugin, skip, unresolvable, unschedulable } from '../framework/framework.ts';

const name = 'VolumeRestrictions';

/** Refuses nodes where a claim for a single pod (ReadWriteOncePod) or a disk that can be mounted only once is in use already. */
export const volumeRestrictions = defineSchedulerPlugin({
  name,
  retryOn: ['PodDelete', 'NodeAdd', 'PersistentVolumeClaimChange'],
  preFilter(state, pod, cluster) {
    const exclusive: string[] = [];
    for (const { claimName, isEphemeral } of claimedVolumes(pod)) {
      if (isEphemeral) continue;
      const claim = cluster.findClaim(pod.metadata.namespace ?? '', claimName);
      if (claim === undefined) return { status: unresolvable(`persistentvolumeclaim "${claimName}" not found`) };
      if (claim.spec?.accessModes?.includes('ReadWriteOncePod')) exclusive.push(claimName);
    }
    const disks = (pod.spec?.volumes ?? []).filter(isDisk);
    if (exclusive.length === 0 && disks.length === 0) return { status: skip };
    state.set(name, { isTaken: isTaken(pod, exclusive, cluster), disks });
    return undefined;
  },
  filter(state, _pod, node) {
    const { isTaken: taken, disks } = state.get(name) as { readonly isTaken: boolean; readonly disks: readonly DeepReadonly<Volume>[] };
    const hasDisk = (other: DeepReadonly<Pod>) =>
      (other.spec?.volumes ?? []).some((volume) => disks.some((disk) => excludes(disk, volume)));
    if (node.pods.some(hasDisk)) return unschedulable('node(s) had no available disk');
    if (!taken) return undefined;
    return unschedulable('node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode');
  },
});

/** Whether a pod on any node uses one of the claims. */
function isTaken({ metadata }: DeepReadonly<Pod>, claims: readonly string[], cluster: ClusterState): boolean {
  if (claims.length === 0) return false;
  const uses = (other: DeepReadonly<Pod>) =>
    other.metadata.namespace === metadata.namespace && claims.some((claim) => usesClaim(other, claim));
  return cluster.nodes.some(({ pods }) => pods.some(uses));
}

function isDisk({ gcePersistentDisk, awsElasticBlockStore, rbd, iscsi }: DeepReadonly<Volume>): boolean {
  return [gcePersistentDisk, awsElasticBlockStore, rbd, iscsi].some((source) => source !== undefined);
}

/** Whether two volumes of pods are the same disk, and not both only read. */
function excludes(one: DeepReadonly<Volume>, other: DeepReadonly<Volume>): boolean {
  if (one.awsElasticBlockStore && one.awsElasticBlockStore.volumeID === other.awsElasticBlockStore?.volumeID) return true;
  if (one.gcePersistentDisk && one.gcePersistentDisk.pdName === other.gcePersistentDisk?.pdName)
    return !(one.gcePersistentDisk.readOnly && other.gcePersistentDisk.readOnly);
  if (one.iscsi && one.iscsi.iqn === other.iscsi?.iqn) return !(one.iscsi.readOnly && other.iscsi.readOnly);
  if (!one.rbd || !other.rbd) return false;
  const { monitors, pool, image, readOnly } = other.rbd;
  const isSame = one.rbd.monitors.some((monitor) => monitors.includes(monitor)) && one.rbd.pool === pool && one.rbd.image === image;
  return isSame && !(one.rbd.readOnly && readOnly);
}
