import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import type { InformerFactory, Lister } from '../../../api/client/informers/informer.ts';
import { deviceClasses } from '../../../api/resources/resource/v1/device-class.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';
import { claimNamesOf, devicesOf } from '../../../api/semantics/devices/resource-claims.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim, ResourceSlice } from '../../../api/types/resource-v1.ts';
import { indexSlices, type SliceIndex } from '../devices/device-pools.ts';
import { DeviceLedger } from '../devices/device-ledger.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import type { DeviceReservation } from '../framework/framework.ts';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';

type Claim = DeepReadonly<ResourceClaim>;

type DeviceState = Pick<ClusterState, 'findResourceClaim' | 'findDeviceClass' | 'devicePools' | 'takenDevices' | 'isBeingAllocated'>;

/** The claims and devices of the informers, with the scheduler's own latest decisions. */
export interface WatchedDevices {
  readonly state: DeviceState;
  /** From now on the devices are the claims'. */
  assume(reservation: DeviceReservation): void;
  /** The claim was written so: that counts until the informer knows as much. */
  written(claim: Claim): void;
  /** Drops a reservation that was not written: its devices are free again. */
  forget(reservation: DeviceReservation): void;
}

export function watchDevices(informers: InformerFactory, queue: SchedulingQueue): WatchedDevices {
  const claims = informers.informer(resourceClaims);
  const classes = informers.informer(deviceClasses);
  const slices = informers.informer(resourceSlices);
  const ledger = new DeviceLedger();
  const follow = (claim: Claim) => ledger.setKnown(claim);
  claims.addHandler({
    onAdd(claim) {
      follow(claim);
      queue.onEvent('ResourceClaimChange', usersOf(claim));
    },
    onUpdate(claim, old) {
      // A claim that was deleted and made again between two looks.
      if (old.metadata.uid !== claim.metadata.uid) ledger.remove(old);
      follow(claim);
      const hasFreed = devicesOf(old.status?.allocation).length > 0 && devicesOf(claim.status?.allocation).length === 0;
      if (hasFreed) queue.onEvent('ResourceClaimChange');
      else if (!isEqual(claim.status, old.status) || old.metadata.uid !== claim.metadata.uid)
        queue.onEvent('ResourceClaimChange', usersOf(claim));
    },
    onDelete(claim) {
      ledger.remove(claim);
      if (devicesOf(claim.status?.allocation).length > 0) queue.onEvent('ResourceClaimChange');
    },
  });
  slices.addHandler({
    onAdd: () => queue.onEvent('ResourceSliceChange'),
    onUpdate: () => queue.onEvent('ResourceSliceChange'),
    // A pool that was incomplete because of a surplus slice may be complete now.
    onDelete: () => queue.onEvent('ResourceSliceChange'),
  });
  classes.addHandler({ onAdd: () => queue.onEvent('DeviceClassChange'), onUpdate: () => queue.onEvent('DeviceClassChange') });
  return {
    state: {
      findResourceClaim(namespace, name) {
        const known = claims.lister.find({ namespace, name });
        return known && ledger.newest(known);
      },
      findDeviceClass: (name) => classes.lister.find({ namespace: '', name }),
      devicePools: createSliceIndex(slices.lister),
      takenDevices: ledger,
      isBeingAllocated: (claim) => ledger.isBeingAllocated(claim),
    },
    assume(reservation) {
      for (const { claim, allocation } of reservation.claims) if (allocation) ledger.assume(claim, devicesOf(allocation));
    },
    written: (claim) => ledger.written(claim),
    forget(reservation) {
      for (const { claim, allocation } of reservation.claims) if (allocation) ledger.forget(claim);
      queue.onEvent('ResourceClaimChange');
    },
  };
}

/** The pods that wait for a claim. A change of a claim concerns its own pods; released devices may concern all. */
function usersOf({ metadata }: Claim): (pod: DeepReadonly<Pod>) => boolean {
  const { namespace, name = '' } = metadata;
  return (pod) => pod.metadata.namespace === namespace && claimNamesOf(pod).includes(name);
}

/** Made anew only when slices have changed. */
function createSliceIndex(lister: Lister<ResourceSlice>): () => SliceIndex {
  let known: { readonly version: number; readonly index: SliceIndex } | undefined;
  return () => {
    const version = lister.version();
    if (known?.version !== version) known = { version, index: indexSlices(lister.list()) };
    return known.index;
  };
}
