import { parseIP } from '../../../../api/base/ip-address.ts';
import type { ServiceSpec } from '../../../../api/types/core-v1.ts';
import { type FieldError, invalid } from '../../../../api/validation/field-error.ts';
import type { FieldPath } from '../../../../api/validation/field-path.ts';

/**
 * Fills in ipFamilies and ipFamilyPolicy from what the user gave and from the families the cluster has (KEP-563). Modifies;
 * returns what cannot be had.
 */
export function planIPFamilies(spec: ServiceSpec, configured: readonly string[], path: FieldPath): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const clusterIPs = spec.clusterIPs ?? [];
  const isHeadless = clusterIPs[0] === 'None';
  if (spec.ipFamilyPolicy === undefined && (clusterIPs.length === 2 || spec.ipFamilies?.length === 2))
    spec.ipFamilyPolicy = 'RequireDualStack';
  if (!isHeadless) inferFamilies(spec, clusterIPs);
  if (isHeadless && Object.keys(spec.selector ?? {}).length === 0) {
    planHeadlessWithoutSelector(spec, configured);
    return [];
  }
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2) {
    errors.push(invalid(path.child('ipFamilyPolicy'), spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!configured.includes(family)) errors.push(invalid(path.child('ipFamilies').index(index), family, 'not configured on this cluster'));
  }
  if (errors.length > 0) return errors;
  const [defaultFamily = 'IPv4'] = configured;
  const families = spec.ipFamilies ?? [];
  spec.ipFamilies = families.length > 0 ? families : [defaultFamily];
  spec.ipFamilyPolicy ??= 'SingleStack';
  return [];
}

function inferFamilies(spec: ServiceSpec, clusterIPs: readonly string[]): void {
  const families = [...(spec.ipFamilies ?? [])];
  for (const [index, address] of clusterIPs.entries())
    families[index] ??= parseIP(address, { leadingZeros: true })?.version === 6 ? 'IPv6' : 'IPv4';
  if (families.length > 0) spec.ipFamilies = families;
}

/** Its endpoints are somebody else's business: they may be of any family, whatever the cluster has. */
function planHeadlessWithoutSelector(spec: ServiceSpec, configured: readonly string[]): void {
  spec.ipFamilyPolicy ??= 'RequireDualStack';
  const [first = configured[0] ?? 'IPv4', ...others] = spec.ipFamilies ?? [];
  const isSingle = spec.ipFamilyPolicy === 'SingleStack' || others.length > 0;
  spec.ipFamilies = isSingle ? [first, ...others] : [first, first === 'IPv4' ? 'IPv6' : 'IPv4'];
}
