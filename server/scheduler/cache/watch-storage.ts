import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Informer, InformerFactory } from '../../../api/client/informers/informer.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { csiDrivers } from '../../../api/resources/storage/v1/csi-driver.ts';
import { csiNodes } from '../../../api/resources/storage/v1/csi-node.ts';
import { csiStorageCapacities } from '../../../api/resources/storage/v1/csi-storage-capacity.ts';
import { storageClasses } from '../../../api/resources/storage/v1/storage-class.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import type { ClusterEvent, VolumeReservation } from '../framework/framework.ts';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';
import { AssumedObjects } from '../volumes/assumed-objects.ts';

type StorageState = Pick<
  ClusterState,
  'findClaim' | 'findVolume' | 'volumes' | 'findStorageClass' | 'findCSIDriver' | 'findCSINode' | 'storageCapacities'
>;

/** The storage objects of the informers, with the scheduler's own latest decisions. */
export interface WatchedStorage {
  state(): StorageState;
  /** The objects without assumed changes. */
  readonly known: Pick<ClusterState, 'findClaim' | 'findVolume'>;
  assume(reservation: VolumeReservation): void;
  forget(reservation: VolumeReservation): void;
  /** Calls back whenever a claim or volume has changed, until the returned function is called. */
  onChange(changed: () => void): () => void;
}

export function watchStorage(informers: InformerFactory, queue: SchedulingQueue): WatchedStorage {
  const claims = informers.informer(persistentVolumeClaims);
  const volumes = informers.informer(persistentVolumes);
  const classes = informers.informer(storageClasses);
  const drivers = informers.informer(csiDrivers);
  const nodes = informers.informer(csiNodes);
  const capacities = informers.informer(csiStorageCapacities);
  const announce = <T extends KubeObject>(informer: Informer<T>, event: ClusterEvent) =>
    informer.addHandler({ onAdd: () => queue.onEvent(event), onUpdate: () => queue.onEvent(event) });
  announce(claims, 'PersistentVolumeClaimChange');
  announce(volumes, 'PersistentVolumeChange');
  announce(classes, 'StorageClassChange');
  announce(drivers, 'CSIDriverChange');
  announce(nodes, 'CSINodeChange');
  announce(capacities, 'CSIStorageCapacityChange');

  const assumedClaims = new AssumedObjects<PersistentVolumeClaim>();
  const assumedVolumes = new AssumedObjects<PersistentVolume>();
  const newestClaim = (claim: DeepReadonly<PersistentVolumeClaim> | undefined) => claim && assumedClaims.newest(claim);
  const newestVolume = (volume: DeepReadonly<PersistentVolume> | undefined) => volume && assumedVolumes.newest(volume);
  const known: WatchedStorage['known'] = {
    findClaim: (namespace, name) => claims.lister.find({ namespace, name }),
    findVolume: (name) => volumes.lister.find({ namespace: '', name }),
  };
  const state: StorageState = {
    findClaim: (namespace, name) => newestClaim(known.findClaim(namespace, name)),
    findVolume: (name) => newestVolume(known.findVolume(name)),
    volumes: () => volumes.lister.list().map((volume) => assumedVolumes.newest(volume)),
    findStorageClass: (name) => classes.lister.find({ namespace: '', name }),
    findCSIDriver: (name) => drivers.lister.find({ namespace: '', name }),
    findCSINode: (name) => nodes.lister.find({ namespace: '', name }),
    storageCapacities: () => capacities.lister.list(),
  };
  return {
    state: () => state,
    known,
    assume(reservation) {
      for (const { before, after } of reservation.claims) assumedClaims.assume(before, after);
      for (const { before, after } of reservation.volumes) assumedVolumes.assume(before, after);
    },
    forget(reservation) {
      for (const { before } of reservation.claims) assumedClaims.forget(before);
      for (const { before } of reservation.volumes) assumedVolumes.forget(before);
    },
    onChange(changed) {
      const removers = [
        claims.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed }),
        volumes.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed }),
      ];
      return () => removers.forEach((remove) => remove());
    },
  };
}
