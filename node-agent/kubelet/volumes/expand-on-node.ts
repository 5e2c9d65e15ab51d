import type { Client } from '../../../api/client/client.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { compareQuantities, quantityValue } from '../../../api/quantity/arithmetic.ts';
import { parseQuantity } from '../../../api/quantity/quantity.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import type { VolumeCapability } from '../../csi/csi-client.ts';
import type { RegisteredDriver } from '../csi/csi-drivers.ts';
import type { BoundVolume } from './claimed-volumes.ts';

export interface ExpandOrder {
  readonly client: Client;
  readonly driver: RegisteredDriver;
  readonly bound: BoundVolume;
  readonly capability: VolumeCapability;
  readonly path: string;
  readonly staging: string;
  readonly secrets: Readonly<Record<string, string>>;
}

/** A volume that has grown has its file system grown too, and the claim is told its new size. */
export async function expandOnNode(order: ExpandOrder): Promise<void> {
  const { client, driver, bound, capability, path, staging, secrets } = order;
  const { claim, volume } = bound;
  const size = volume.spec?.capacity?.['storage'];
  const known = claim.status?.capacity?.['storage'];
  if (size === undefined || known === undefined || compareQuantities(parseQuantity(size), parseQuantity(known)) <= 0) return;
  await driver.client.expand({
    volume_id: volume.spec?.csi?.volumeHandle ?? '',
    volume_path: path,
    capacity_range: { required_bytes: quantityValue(size) },
    staging_target_path: staging,
    volume_capability: capability,
    secrets,
  });
  const conditions = (claim.status?.conditions ?? []).filter(({ type }) => type !== 'FileSystemResizePending' && type !== 'Resizing');
  const body = {
    status: { capacity: { storage: size }, conditions, allocatedResourceStatuses: { storage: null } },
  };
  await client(persistentVolumeClaims).patch(keyOf(claim), { type: 'merge', body }, { subresource: 'status' });
}
