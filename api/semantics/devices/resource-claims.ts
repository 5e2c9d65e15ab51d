import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { isControlledBy } from '../../meta/owner-references.ts';
import type { Pod, PodResourceClaim } from '../../types/core-v1.ts';
import type { AllocationResult, ResourceClaim } from '../../types/resource-v1.ts';

type Claim = DeepReadonly<ResourceClaim>;

/** Keeps an allocated claim from going before it is deallocated. */
export const claimFinalizer = 'resource.kubernetes.io/delete-protection';
/** On claims made from a template: the name of the claim in its Pod. */
export const podClaimNameAnnotation = 'resource.kubernetes.io/pod-claim-name';
/** Label of namespaces whose claims may look into devices that others use. */
export const adminAccessLabel = 'resource.kubernetes.io/admin-access';

/** The ResourceClaim that one of a Pod's claims refers to. */
type NamedClaim =
  /** `isGenerated`: it was made from a template, and has to be the Pod's own. */
  | { readonly name: string; readonly isGenerated: boolean }
  /** None is needed. */
  | { readonly isNeedless: true }
  /** In words: it is not there yet. */
  | { readonly problem: string };

export function namedClaim(
  pod: DeepReadonly<Pod>,
  { name, resourceClaimName, resourceClaimTemplateName }: DeepReadonly<PodResourceClaim>,
): NamedClaim {
  const shown = `pod "${pod.metadata.namespace}/${pod.metadata.name}"`;
  if (resourceClaimName !== undefined) return { name: resourceClaimName, isGenerated: false };
  if (resourceClaimTemplateName === undefined)
    return { problem: `${shown}, spec.resourceClaim "${name}": none of the supported fields are set` };
  const status = pod.status?.resourceClaimStatuses?.find((one) => one.name === name);
  if (status === undefined) return { problem: `${shown}: ResourceClaim not created yet` };
  return status.resourceClaimName === undefined ? { isNeedless: true } : { name: status.resourceClaimName, isGenerated: true };
}

/** Names of the ResourceClaims that the Pod uses, as far as there are any yet. */
export function claimNamesOf(pod: DeepReadonly<Pod>): string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((claim) => {
    const named = namedClaim(pod, claim);
    return 'name' in named ? [named.name] : [];
  });
}

/** All claims of a Pod, or the reason why it cannot use one of them (yet). */
export function findPodClaims(
  pod: DeepReadonly<Pod>,
  find: (namespace: string, name: string) => Claim | undefined,
): { readonly claims: readonly Claim[] } | { readonly problem: string } {
  const namespace = pod.metadata.namespace ?? '';
  const claims: Claim[] = [];
  for (const one of pod.spec?.resourceClaims ?? []) {
    const named = namedClaim(pod, one);
    if ('problem' in named) return named;
    if ('isNeedless' in named) continue;
    const claim = find(namespace, named.name);
    if (claim === undefined) return { problem: `could not find ResourceClaim "${namespace}/${named.name}"` };
    if (claim.metadata.deletionTimestamp !== undefined) return { problem: `resourceclaim "${named.name}" is being deleted` };
    if (named.isGenerated && !isControlledBy(claim, pod)) return { problem: notOwner(claim, pod) };
    claims.push(claim);
  }
  return { claims };
}

export function notOwner({ metadata }: Claim, pod: DeepReadonly<Pod>): string {
  const { namespace, name } = pod.metadata;
  return `ResourceClaim ${metadata.namespace}/${metadata.name} was not created for pod ${namespace}/${name} (pod is not owner)`;
}

export function isReservedFor({ status }: Claim, pod: DeepReadonly<Pod>): boolean {
  return status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) ?? false;
}

/** The devices of an allocation that are reserved for it; those with admin access are left out. */
export function devicesOf(allocation: DeepReadonly<AllocationResult> | undefined): string[] {
  return (allocation?.devices?.results ?? []).flatMap((result) => (result.adminAccess === true ? [] : [deviceID(result)]));
}

export function deviceID({ driver, pool, device }: { readonly driver: string; readonly pool: string; readonly device: string }): string {
  return `${driver}/${pool}/${device}`;
}
