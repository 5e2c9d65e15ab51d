import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { canonicalAddress } from './address-range.ts';
import {
  addressFamilyLabel,
  addressManager,
  addressManagerLabel,
  rangeHoldsAddress,
} from '../../../../api/semantics/services/service-cidrs.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';

/** An error, with its event. */
export interface Finding {
  readonly reason: string;
  readonly message: string;
}

export interface Repair {
  /** `recreate`: the existing object is deleted first. */
  readonly action: 'none' | 'create' | 'recreate' | 'delete';
  readonly finding?: Finding;
}

/** The minimum age of an address without Service before it is released: a Service that is being created gets its address first. */
export const addressGraceMs = 60_000;

const nothing: Repair = { action: 'none' };
const familyOf = (address: string) => (address.includes(':') ? 'IPv6' : 'IPv4');

/** The addresses of a Service as IPAddress objects are named. */
export function addressesOf({ spec }: DeepReadonly<Service>): string[] {
  if (!spec || spec.type === 'ExternalName') return [];
  return (spec.clusterIPs ?? []).flatMap((address) => canonicalAddress(address) ?? []);
}

interface AddressOfService {
  readonly service: DeepReadonly<Service>;
  readonly address: string;
  /** The object that is registered under the address. */
  readonly registered: DeepReadonly<IPAddress> | undefined;
  /** The Service that `registered` names, if it is there. */
  readonly named: DeepReadonly<Service> | undefined;
  /** The ranges of all ServiceCIDRs; none: none has been declared yet. */
  readonly ranges: readonly string[];
}

/** The steps that register the Service's address for it. If two Services have one address, the registered one keeps it. */
export function planServiceRepair({ service, address, registered, named, ranges }: AddressOfService): Repair {
  const { namespace, name } = service.metadata;
  const subject = `[${familyOf(address)}]: ${address}`;
  if (ranges.length > 0 && !ranges.some((range) => rangeHoldsAddress(range, address))) {
    const message = `Cluster IP ${subject} is not within any configured Service CIDR; please recreate service`;
    return { action: 'none', finding: { reason: 'ClusterIPOutOfRange', message } };
  }
  if (registered === undefined) {
    const message = `Cluster IP ${subject} is not allocated; repairing`;
    return { action: 'create', finding: { reason: 'ClusterIPNotAllocated', message } };
  }
  const parent = registered.spec?.parentRef;
  const isOwn = parent?.namespace === namespace && parent?.name === name;
  if (parent?.group || parent?.resource !== 'services' || (!isOwn && named === undefined)) {
    const message = `the ClusterIP ${subject} for Service ${namespace}/${name} has a wrong reference; repairing`;
    return { action: 'recreate', finding: { reason: 'ClusterIPNotAllocated', message } };
  }
  if (!isOwn && named && addressesOf(named).includes(address)) {
    const message = `Cluster IP [${familyOf(address)}]:${address} was assigned to multiple services; please recreate service`;
    return { action: 'none', finding: { reason: 'ClusterIPAlreadyAllocated', message } };
  }
  const labels = registered.metadata.labels ?? {};
  const isLabelled = labels[addressFamilyLabel] === familyOf(address) && labels[addressManagerLabel] === addressManager;
  return isOwn && isLabelled ? nothing : { action: 'recreate' };
}

/** The steps for an address that the allocator made; `named`: the Service it is for, if that is there. */
export function planAddressRepair(address: DeepReadonly<IPAddress>, named: DeepReadonly<Service> | undefined, ageMs: number): Repair {
  const { name = '', labels } = address.metadata;
  if (labels?.[addressManagerLabel] !== addressManager) return nothing;
  const parent = address.spec?.parentRef;
  if (parent?.group || parent?.resource !== 'services') {
    const reference = `&ParentReference{Group:${parent?.group ?? ''},Resource:${parent?.resource ?? ''},Namespace:${parent?.namespace ?? ''},Name:${parent?.name ?? ''},}`;
    const message = `IPAddress ${name} appears to have been modified, not referencing a Service ${reference}: cleaning up`;
    return { action: 'delete', finding: { reason: 'IPAddressNotAllocated', message } };
  }
  const subject = `IPAddress: ${name} for Service ${parent.namespace}/${parent.name}`;
  if (named === undefined) {
    if (ageMs <= addressGraceMs) return nothing;
    return { action: 'delete', finding: { reason: 'IPAddressNotAllocated', message: `${subject} appears to have leaked: cleaning up` } };
  }
  if (addressesOf(named).includes(name)) return nothing;
  return { action: 'delete', finding: { reason: 'IPAddressWrongReference', message: `${subject} has a wrong reference; cleaning up` } };
}
