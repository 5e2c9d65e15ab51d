import type { Client } from '../../../api/client/client.ts';
import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import type { VolumeCapability } from '../../plugins/csi/csi-client.ts';
import type { RegisteredDriver } from '../../plugins/csi/csi-drivers.ts';
import { findNewSize, tellSize } from './claim-size.ts';
import type { BoundVolume } from './bound-volume.ts';

interface ExpandOrder {
  readonly client: Client;
  readonly driver: RegisteredDriver;
  readonly bound: BoundVolume;
  readonly capability: VolumeCapability;
  readonly path: string;
  readonly staging: string;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Lets the driver expand the file system of a volume that has grown, and writes the new size into the claim's status. */
export async function expandOnNode({ client, driver, bound, capability, path, staging, secrets }: ExpandOrder): Promise<void> {
  const size = findNewSize(bound);
  if (size === undefined) return;
  await driver.client.expand({
    volume_id: bound.volume.spec?.csi?.volumeHandle ?? '',
    volume_path: path,
    capacity_range: { required_bytes: quantityValue(size) },
    staging_target_path: staging,
    volume_capability: capability,
    secrets,
  });
  await tellSize(client, bound.claim, size);
}
