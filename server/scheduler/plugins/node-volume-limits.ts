import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import { claimedVolumes } from '../../../api/semantics/pods/pod-claims.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import { defineSchedulerPlugin, skip, unschedulable } from '../framework/framework.ts';

/** Volumes of CSI drivers: `<driver>/<volume>` -> driver. */
type DriverVolumes = Map<string, string>;

/** Keeps the number of a CSI driver's volumes on a node within the limit that the driver reports. */
export const nodeVolumeLimits = defineSchedulerPlugin({
  name: 'NodeVolumeLimits',
  retryOn: ['CSINodeChange', 'PodDelete', 'PersistentVolumeClaimChange'],
  preFilter: (_state, pod) => (claimedVolumes(pod).length === 0 ? { status: skip } : undefined),
  filter(_state, pod, node, cluster) {
    const limits = new Map<string, number>();
    for (const { name, allocatable } of cluster.findCSINode(node.name)?.spec.drivers ?? []) {
      if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
    }
    if (limits.size === 0) return undefined;
    const present: DriverVolumes = new Map();
    for (const other of node.pods) addDriverVolumes(present, other, cluster);
    const wanted: DriverVolumes = new Map();
    addDriverVolumes(wanted, pod, cluster);
    const fresh = [...wanted].filter(([id]) => !present.has(id));
    const count = (volumes: Iterable<readonly [string, string]>, driver: string) => [...volumes].filter(([, its]) => its === driver).length;
    for (const driver of new Set(fresh.map(([, its]) => its))) {
      const limit = limits.get(driver);
      if (limit !== undefined && count(present, driver) + count(fresh, driver) > limit)
        return unschedulable('node(s) exceed max volume count');
    }
    return undefined;
  },
});

/** Claims without a volume are counted for the driver that will provision it. */
function addDriverVolumes(volumes: DriverVolumes, pod: DeepReadonly<Pod>, cluster: ClusterState): void {
  const namespace = pod.metadata.namespace ?? '';
  for (const { claimName } of claimedVolumes(pod)) {
    const claim = cluster.findClaim(namespace, claimName);
    if (claim === undefined) continue;
    const volume = cluster.findVolume(claim.spec?.volumeName ?? '');
    const csi = volume?.spec?.csi;
    if (csi !== undefined) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    if (volume !== undefined) continue;
    const driver = cluster.findStorageClass(storageClassOf(claim))?.provisioner;
    if (driver !== undefined) volumes.set(`${driver}/claim ${namespace}/${claimName}`, driver);
  }
}
