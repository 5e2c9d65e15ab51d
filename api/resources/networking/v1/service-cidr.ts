import { parseCIDR } from '../../../base/ip-address.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import type { ServiceCIDR } from '../../../types/networking-v1.ts';
import { invalid, required } from '../../../validation/field-error.ts';
import { validateCanonicalCIDR } from '../../../validation/ip-addresses.ts';

/** A range that Services get their addresses from. */
export const serviceCIDRs = defineResource<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ServiceCIDR', plural: 'servicecidrs' },
  definition: 'io.k8s.api.networking.v1.ServiceCIDR',
  subresources: {
    status: { kind: 'ServiceCIDR', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'servicecidrs',
  formerVersions: ['v1beta1'],
  // A client that may create a ServiceCIDR may set its status too.
  keepsStatusOnCreate: true,
  printerColumns: [nameColumn, textColumn('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
  validate({ spec }, path) {
    const at = path.child('spec', 'cidrs');
    const ranges = spec?.cidrs ?? [];
    if (ranges.length === 0) return [required(at, 'at least one CIDR required')];
    const errors = validateEach(ranges, at, (range, rangePath) => validateCanonicalCIDR(rangePath, range));
    if (ranges.length > 2) return [...errors, invalid(at, ranges, 'may only hold up to 2 values')];
    const versions = new Set(ranges.map((range) => parseCIDR(range)?.address.version));
    if (versions.size < ranges.length)
      errors.push(invalid(at, ranges, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'));
    return errors;
  },
  validateUpdate({ spec }, old, path) {
    const at = path.child('spec', 'cidrs');
    const [now, before] = [spec?.cidrs ?? [], old.spec?.cidrs ?? []];
    // A range of the other IP family can be added; existing ranges must stay.
    const keeps = now.length >= before.length && isSemanticallyEqual(now.slice(0, before.length), before);
    return keeps ? [] : [invalid(at, now, 'field is immutable')];
  },
});
