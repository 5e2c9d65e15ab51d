import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Namespace, PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { DeviceClass, ResourceClaim } from '../../../api/types/resource-v1.ts';
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '../../../api/types/storage-v1.ts';
import type { NodeInfo } from '../cache/node-info.ts';
import type { SliceIndex } from '../devices/device-pools.ts';

/** The state of the cluster that plugins may read in one scheduling cycle. */
export interface ClusterState {
  readonly nodes: readonly NodeInfo[];
  findNode(name: string): NodeInfo | undefined;
  /** Pods for which room was made on the node by preemption and that wait for it to become free. */
  nominatedOn(nodeName: string): readonly DeepReadonly<Pod>[];
  findNamespace(name: string): DeepReadonly<Namespace> | undefined;
  findClaim(namespace: string, name: string): DeepReadonly<PersistentVolumeClaim> | undefined;
  findVolume(name: string): DeepReadonly<PersistentVolume> | undefined;
  volumes(): readonly DeepReadonly<PersistentVolume>[];
  findStorageClass(name: string): DeepReadonly<StorageClass> | undefined;
  findCSIDriver(name: string): DeepReadonly<CSIDriver> | undefined;
  findCSINode(name: string): DeepReadonly<CSINode> | undefined;
  storageCapacities(): readonly DeepReadonly<CSIStorageCapacity>[];
  findResourceClaim(namespace: string, name: string): DeepReadonly<ResourceClaim> | undefined;
  findDeviceClass(name: string): DeepReadonly<DeviceClass> | undefined;
  /** The devices of drivers, by node. */
  devicePools(): SliceIndex;
  /** Ids of devices that claims have, or are about to. */
  readonly takenDevices: { has(id: string): boolean };
  /** Devices were chosen for the claim, and that is not written yet. */
  isBeingAllocated(claim: DeepReadonly<ResourceClaim>): boolean;
  /** Label selectors (matchLabels) of the Services, ReplicaSets, StatefulSets and ReplicationControllers that select the pod. */
  selectorsOf(pod: {
    readonly metadata: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  }): readonly Readonly<Record<string, string>>[];
}
