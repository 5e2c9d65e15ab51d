import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import { parseIP } from '../../../../api/base/ip-address.ts';
import { validateClusterIPs } from '../../../../api/resources/core/v1/services/service-validation.ts';
import type { ServiceSpec } from '../../../../api/types/core-v1.ts';
import { type FieldError, invalid } from '../../../../api/validation/field-error.ts';
import type { FieldPath } from '../../../../api/validation/field-path.ts';

type Spec = DeepReadonly<ServiceSpec>;

/**
 * Fills in ipFamilies and ipFamilyPolicy from the user's values, from the Service before (`old`) and from the cluster's families, the
 * default one first (KEP-563). Modifies; returns the errors.
 */
export function planIPFamilies(spec: ServiceSpec, old: Spec | undefined, configured: readonly string[], path: FieldPath): FieldError[] {
  if (spec.type === 'ExternalName' || (old && keepsPreference(spec, old))) return [];
  const isFree = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (isFree ? 'RequireDualStack' : 'SingleStack');
  const wrong = validateClusterIPs(spec, path);
  if (wrong.length > 0) return wrong;
  const errors = [...(old ? reduceFamilies(spec, old, path) : []), ...refuseTwo(spec, path), ...inferFamilies(spec, configured, path)];
  if (errors.length > 0) return errors;
  if (isFree) {
    planFreeEndpoints(spec, configured);
    return [];
  }
  const missing = missingFamilies(spec, configured, path);
  if (missing.length > 0) return missing;
  const [own = 'IPv4'] = configured;
  const [first = own, ...others] = spec.ipFamilies ?? [];
  const second = spec.ipFamilyPolicy !== 'SingleStack' && configured.length === 2 ? [otherFamily(first)] : [];
  spec.ipFamilies = [first, ...(others.length > 0 ? others : second)];
  return [];
}

/** A Service with PreferDualStack keeps its families when the cluster changes, until a request adds or removes one. */
export function keepsPreference(spec: Spec, old: Spec): boolean {
  const isOfKind = ['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type ?? '') && spec.type === old.type;
  const isPreferred = spec.ipFamilyPolicy === 'PreferDualStack' && (old.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack';
  return isOfKind && isPreferred && hasSameAddresses(spec, old) && hasSameFamilies(spec, old);
}

const hasSameAddresses = (spec: Spec, old: Spec) => isSemanticallyEqual(spec.clusterIPs ?? [], old.clusterIPs ?? []);
const hasSameFamilies = (spec: Spec, old: Spec) => isSemanticallyEqual(spec.ipFamilies ?? [], old.ipFamilies ?? []);
const otherFamily = (family: string) => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/** A client that changes a Service from two families to one need not name the removed one; without such a request no family is removed. */
function reduceFamilies(spec: ServiceSpec, old: Spec, path: FieldPath): FieldError[] {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  if (ipFamilyPolicy === 'SingleStack') {
    const [areSame, areSameFamilies] = [hasSameAddresses(spec, old), hasSameFamilies(spec, old)];
    if (areSame && clusterIPs.length > 1) spec.clusterIPs = clusterIPs.slice(0, 1);
    if (areSameFamilies && ipFamilies.length > 1) spec.ipFamilies = ipFamilies.slice(0, 1);
    return [];
  }
  const at = path.child('ipFamilyPolicy');
  // A field that is not named is not given up.
  const isReduced = (now: readonly string[], before: readonly string[]) => now.length > 0 && now.length < before.length;
  return [
    ...(isReduced(clusterIPs, old.clusterIPs ?? [])
      ? [invalid(at, ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP")]
      : []),
    ...(isReduced(ipFamilies, old.ipFamilies ?? [])
      ? [invalid(at, ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family")]
      : []),
  ];
}

function refuseTwo({ clusterIPs = [], ipFamilies = [], ipFamilyPolicy }: Spec, path: FieldPath): FieldError[] {
  if (ipFamilyPolicy !== 'SingleStack') return [];
  const refuse = (what: string) =>
    invalid(
      path.child('ipFamilyPolicy'),
      ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [...(clusterIPs.length === 2 ? [refuse('cluster IPs')] : []), ...(ipFamilies.length === 2 ? [refuse('IP families')] : [])];
}

function inferFamilies(spec: ServiceSpec, configured: readonly string[], path: FieldPath): FieldError[] {
  const { clusterIPs = [] } = spec;
  if (clusterIPs[0] === 'None') return [];
  const families = [...(spec.ipFamilies ?? [])];
  const errors: FieldError[] = [];
  for (const [index, address] of clusterIPs.entries()) {
    if (index < families.length) continue;
    const family = parseIP(address, { leadingZeros: true })?.version === 6 ? 'IPv6' : 'IPv4';
    if (configured.includes(family)) families.push(family);
    else errors.push(invalid(path.child('clusterIPs').index(index), clusterIPs, `${family} is not configured on this cluster`));
  }
  if (families.length > 0) spec.ipFamilies = families;
  return errors;
}

/** Its endpoints are managed elsewhere and may be of any family. */
function planFreeEndpoints(spec: ServiceSpec, configured: readonly string[]): void {
  const [first = configured[0] ?? 'IPv4', ...others] = spec.ipFamilies ?? [];
  const isComplete = spec.ipFamilyPolicy === 'SingleStack' || others.length > 0;
  spec.ipFamilies = isComplete ? [first, ...others] : [first, otherFamily(first)];
}

function missingFamilies({ ipFamilies = [], ipFamilyPolicy }: Spec, configured: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (ipFamilyPolicy === 'RequireDualStack' && configured.length < 2)
    errors.push(invalid(path.child('ipFamilyPolicy'), ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  for (const [index, family] of ipFamilies.entries()) {
    if (!configured.includes(family)) errors.push(invalid(path.child('ipFamilies').index(index), family, 'not configured on this cluster'));
  }
  return errors;
}
