import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import type { ResourceClaim } from '../../../types/resource-v1.ts';
import { duplicate, type FieldError, forbidden, required, tooMany } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateClaimSpec } from './claim-validation.ts';

const maxConsumers = 256;

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
  validate: ({ spec }, path) => validateClaimSpec(spec, path.child('spec')),
  validateUpdate: ({ spec }, old, path) => validateImmutable(path.child('spec'), spec, old.spec),
  validateStatusUpdate({ metadata, status }, old, path) {
    const { allocation, reservedFor = [] } = status ?? {};
    const at = path.child('status');
    const errors: FieldError[] = [];
    const consumers = at.child('reservedFor');
    if (reservedFor.length > maxConsumers) errors.push(tooMany(consumers, reservedFor.length, maxConsumers));
    const uids = new Set<string>();
    errors.push(
      ...validateEach(reservedFor, consumers, (consumer, consumerPath) => {
        const problems = (['resource', 'name', 'uid'] as const)
          .filter((field) => !consumer[field])
          .map((field) => required(consumerPath.child(field)));
        if (uids.has(consumer.uid)) problems.push(duplicate(consumerPath, consumer.uid));
        uids.add(consumer.uid);
        return problems;
      }),
    );
    if (reservedFor.length > 0 && allocation === undefined)
      errors.push(forbidden(consumers, 'may not be specified when `allocated` is not set'));
    const before = old.status?.reservedFor ?? [];
    if (metadata.deletionTimestamp && reservedFor.some((consumer) => !before.some((known) => isSemanticallyEqual(known, consumer)))) {
      errors.push(forbidden(consumers, 'new reservations may not be added when a ResourceClaim is marked for deletion'));
    }
    if (old.status?.allocation !== undefined && allocation !== undefined)
      errors.push(...validateImmutable(at.child('allocation'), allocation, old.status.allocation));
    return errors;
  },
});

function describe({ metadata, status }: DeepReadonly<ResourceClaim>): string {
  const isDeleted = Boolean(metadata.deletionTimestamp);
  const words = isDeleted ? ['deleted'] : [];
  if (status?.allocation === undefined) return (isDeleted ? words : ['pending']).join(',');
  words.push('allocated');
  if ((status.reservedFor ?? []).length > 0) words.push('reserved');
  return words.join(',');
}
