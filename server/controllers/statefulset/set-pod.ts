import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import type { StatefulSet } from '../../../api/types/apps-v1.ts';
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '../../../api/types/core-v1.ts';
import { revisionHashLabel } from '../runtime/controller-revisions.ts';
import { podFromTemplate } from '../runtime/pod-control.ts';

const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

type ReadonlySet = DeepReadonly<StatefulSet>;

export function startOrdinal({ spec }: ReadonlySet): number {
  return spec?.ordinals?.start ?? 0;
}

export function podName(set: ReadonlySet, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

/** The ordinal in the Pod's name, if it is a name of the set. */
export function ordinalOf(pod: DeepReadonly<Pod>, set: ReadonlySet): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const { name = '' } = pod.metadata;
  const text = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
}

export function claimName(template: DeepReadonly<PersistentVolumeClaim>, set: ReadonlySet, ordinal: number): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** The claims of one Pod. They outlive it, and the next Pod of the ordinal uses them again. */
export function claimsOf(set: ReadonlySet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const claim = mutableCopy<PersistentVolumeClaim>(template);
    claim.metadata = {
      ...claim.metadata,
      name: claimName(template, set, ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...claim.metadata.labels, ...set.spec?.selector?.matchLabels },
    };
    return claim;
  });
}

/** The Pod of an ordinal, of the template of a revision. */
export function podOfSet(set: ReadonlySet, template: DeepReadonly<PodTemplateSpec>, revisionName: string, ordinal: number): Pod {
  const pod = podFromTemplate(template, set, statefulSets);
  const name = podName(set, ordinal);
  const { generateName: _prefix, ...metadata } = pod.metadata;
  pod.metadata = {
    ...metadata,
    name,
    labels: { ...metadata.labels, [podNameLabel]: name, [podIndexLabel]: String(ordinal), [revisionHashLabel]: revisionName },
  };
  if (pod.spec === undefined) return pod;
  pod.spec.hostname = name;
  if (set.spec?.serviceName) pod.spec.subdomain = set.spec.serviceName;
  const claimed: Volume[] = (set.spec?.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(claim, set, ordinal) },
  }));
  if (claimed.length > 0) {
    const others = (pod.spec.volumes ?? []).filter((volume) => !claimed.some(({ name: claim }) => claim === volume.name));
    pod.spec.volumes = [...claimed, ...others];
  }
  return pod;
}

/** Whether the Pod has the labels by which Services and users find it. */
export function hasIdentity(pod: DeepReadonly<Pod>): boolean {
  return pod.metadata.labels?.[podNameLabel] === pod.metadata.name;
}

export function withIdentity(pod: DeepReadonly<Pod>, ordinal: number): Pod {
  const copy = mutableCopy<Pod>(pod);
  copy.metadata.labels = { ...copy.metadata.labels, [podNameLabel]: pod.metadata.name ?? '', [podIndexLabel]: String(ordinal) };
  return copy;
}
