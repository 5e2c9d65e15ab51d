import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import { podClaimNameAnnotation } from '../../../api/semantics/devices/resource-claims.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim, ResourceClaimSpec, ResourceClaimTemplate } from '../../../api/types/resource-v1.ts';

/** The claim that a Pod gets from a template. The Pod owns it, so it is deleted with the Pod. */
export function claimForPod(pod: DeepReadonly<Pod>, podClaim: string, { spec }: DeepReadonly<ResourceClaimTemplate>): ResourceClaim {
  const { annotations, labels } = spec.metadata ?? {};
  return {
    metadata: {
      generateName: generateName(pod.metadata.name ?? '', podClaim),
      namespace: pod.metadata.namespace ?? '',
      annotations: { ...annotations, [podClaimNameAnnotation]: podClaim },
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ownerReferences: [controllerReference(pod, { apiVersion: 'v1', kind: 'Pod' })],
    },
    spec: mutableCopy<ResourceClaimSpec>(spec.spec),
  };
}

/** Leaves room for the hyphen and five characters that make it a name of at most 63. */
const maxBaseLength = 57;

/** Both names are shortened by their share, so that something is left of each. */
export function generateName(podName: string, podClaim: string): string {
  const base = `${podName}-${podClaim}-`;
  if (base.length <= maxBaseLength) return base;
  const share = (name: string) => name.slice(0, Math.floor((name.length * maxBaseLength) / base.length));
  return `${share(podName)}-${share(podClaim)}`;
}
