import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';

/** The ResourceClaim of each of the Pod's claims, by the claim's name in the Pod; undefined: there is none yet. */
export function claimNames({ spec, status }: DeepReadonly<Pod>): Map<string, string | undefined> {
  const names = new Map<string, string | undefined>();
  for (const { name, resourceClaimName, resourceClaimTemplateName } of spec?.resourceClaims ?? []) {
    const generated = status?.resourceClaimStatuses?.find((one) => one.name === name);
    if (resourceClaimName) names.set(name, resourceClaimName);
    // No claim may be made for a template, which is reported by a status without a name.
    else if (resourceClaimTemplateName && (!generated || generated.resourceClaimName)) names.set(name, generated?.resourceClaimName);
  }
  return names;
}

/** Why the Pod may not use the claim (yet), if so. */
export function claimProblem({ metadata, status }: DeepReadonly<ResourceClaim>, pod: DeepReadonly<Pod>): string | undefined {
  const shown = `ResourceClaim ${metadata.namespace}/${metadata.name}`;
  if (!status?.allocation) return `${shown} is not allocated`;
  const isReserved = status.reservedFor?.some(({ resource, uid }) => resource === 'pods' && uid === pod.metadata.uid);
  return isReserved ? undefined : `pod ${pod.metadata.namespace}/${pod.metadata.name} is not allowed to use ${shown}`;
}

/** The drivers that a claim's devices belong to. */
export function driversOf({ status }: DeepReadonly<ResourceClaim>): string[] {
  return [...new Set((status?.allocation?.devices?.results ?? []).map(({ driver }) => driver))].sort();
}

/** `request` or `request/alternative`: a container may ask for either. */
export function isForRequest(requestNames: readonly string[], request: string | undefined): boolean {
  return (
    request === undefined ||
    request === '' ||
    requestNames.length === 0 ||
    requestNames.some((name) => name === request || name.startsWith(`${request}/`))
  );
}
