import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { Lease } from '../../../types/coordination-v1.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import { validateNonnegative } from '../../../validation/formats.ts';

/** A lock with a holder and an expiry: nodes their life, controllers their leadership. */
export const leases = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Lease', plural: 'leases' },
  definition: 'io.k8s.api.coordination.v1.Lease',
  storagePrefix: 'leases',
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  printerColumns: [nameColumn, textColumn('Holder', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
  validate({ spec }, path) {
    const at = path.child('spec');
    const { leaseDurationSeconds: seconds, leaseTransitions = 0 } = spec ?? {};
    const errors: FieldError[] = [];
    if (seconds !== undefined && seconds <= 0) errors.push(invalid(at.child('leaseDurationSeconds'), seconds, 'must be greater than 0'));
    errors.push(...validateNonnegative(at.child('leaseTransitions'), leaseTransitions));
    return errors;
  },
});
