import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { deviceID } from '../../../semantics/devices/resource-claims.ts';
import type { ResourceClaim } from '../../../types/resource-v1.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateClaimStatus } from './claim-status-validation.ts';
import { validateClaimSpec } from './claim-validation.ts';

/** Devices that Pods share or keep. */
export const resourceClaims = defineResource<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ResourceClaim', plural: 'resourceclaims' },
  definition: 'io.k8s.api.resource.v1.ResourceClaim',
  subresources: {
    status: { kind: 'ResourceClaim', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'resourceclaims',
  formerVersions: ['v1beta2'],
  printerColumns: [nameColumn, textColumn('State', describe), ageColumn],
  prepareForUpdate(claim, old, { subresource }) {
    if (subresource === 'status') dropDeallocated(claim, old);
  },
  validate: ({ spec }, path) => validateClaimSpec(spec, path.child('spec')),
  validateUpdate: ({ spec }, old, path) => validateImmutable(path.child('spec'), spec, old.spec),
  validateStatusUpdate: validateClaimStatus,
});

/** Drops the drivers' reports on devices together with the devices. */
function dropDeallocated(claim: ResourceClaim, old: DeepReadonly<ResourceClaim>): void {
  const { status } = claim;
  if (status?.devices === undefined) return;
  const left = new Set((status.allocation?.devices?.results ?? []).map(deviceID));
  const lost = new Set((old.status?.allocation?.devices?.results ?? []).map(deviceID).filter((id) => !left.has(id)));
  const devices = status.devices.filter((device) => !lost.has(deviceID(device)));
  if (devices.length === 0) delete status.devices;
  else status.devices = devices;
}

function describe({ metadata, status }: DeepReadonly<ResourceClaim>): string {
  const isDeleted = Boolean(metadata.deletionTimestamp);
  const words = isDeleted ? ['deleted'] : [];
  if (status?.allocation === undefined) return (isDeleted ? words : ['pending']).join(',');
  words.push('allocated');
  if ((status.reservedFor ?? []).length > 0) words.push('reserved');
  return words.join(',');
}
