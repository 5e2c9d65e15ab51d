import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { compareQuantities } from '../../../api/base/quantity/arithmetic.ts';
import { parseQuantity } from '../../../api/base/quantity/quantity.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import type { PersistentVolumeClaim } from '../../../api/types/core-v1.ts';
import type { BoundVolume } from './bound-volume.ts';

/** The new size of a volume that its claim's status does not show yet; undefined: there is none. */
export function findNewSize({ claim, volume }: BoundVolume): string | undefined {
  const size = volume.spec?.capacity?.['storage'];
  const known = claim.status?.capacity?.['storage'];
  if (size === undefined || known === undefined) return undefined;
  return compareQuantities(parseQuantity(size), parseQuantity(known)) > 0 ? size : undefined;
}

/** The file system has grown to that size: nothing is left to be done about it. */
export async function tellSize(client: Client, claim: DeepReadonly<PersistentVolumeClaim>, size: string): Promise<void> {
  const conditions = (claim.status?.conditions ?? []).filter(({ type }) => type !== 'FileSystemResizePending' && type !== 'Resizing');
  const body = { status: { capacity: { storage: size }, conditions, allocatedResourceStatuses: { storage: null } } };
  await client(persistentVolumeClaims).patch(keyOf(claim), { type: 'merge', body }, { subresource: 'status' });
}
