import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { Container, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../api/types/core-v1.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';

const cache = new WeakMap<DeepReadonly<Pod>, ReadonlySet<string>>();

interface VolumeListers {
  readonly persistentVolumeClaims: Lister<PersistentVolumeClaim>;
  readonly persistentVolumes: Lister<PersistentVolume>;
}

/** The objects that the node of a pod needs to read for it, as `resource/namespace/name`. A mirror pod gives its node nothing. */
export function podReferences(pod: DeepReadonly<Pod>, listers: VolumeListers): ReadonlySet<string> {
  const direct = directReferences(pod);
  const namespace = pod.metadata.namespace ?? '';
  const claims = claimNames(pod);
  if (claims.length === 0) return direct;
  const all = new Set(direct);
  for (const name of claims) {
    all.add(`persistentvolumeclaims/${namespace}/${name}`);
    const volumeName = listers.persistentVolumeClaims.find({ namespace, name })?.spec?.volumeName;
    if (!volumeName) continue;
    all.add(`persistentvolumes//${volumeName}`);
    const source = listers.persistentVolumes.find({ namespace: '', name: volumeName })?.spec?.csi;
    for (const secret of [source?.nodePublishSecretRef, source?.nodeStageSecretRef, source?.nodeExpandSecretRef]) {
      if (secret?.name) all.add(`secrets/${secret.namespace ?? ''}/${secret.name}`);
    }
  }
  return all;
}

function directReferences(pod: DeepReadonly<Pod>): ReadonlySet<string> {
  const known = cache.get(pod);
  if (known) return known;
  const namespace = pod.metadata.namespace ?? '';
  const found = new Set<string>();
  const add = (resource: string, name: string | undefined) => {
    if (name) found.add(`${resource}/${namespace}/${name}`);
  };
  const { spec } = pod;
  if (spec && pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
    add('serviceaccounts', spec.serviceAccountName);
    for (const secret of spec.imagePullSecrets ?? []) add('secrets', secret.name);
    for (const container of [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])])
      addEnvironment(container, add);
    for (const volume of spec.volumes ?? []) addVolume(volume, add);
    for (const { resourceClaimName } of spec.resourceClaims ?? []) add('resourceclaims', resourceClaimName);
    for (const { resourceClaimName } of pod.status?.resourceClaimStatuses ?? []) add('resourceclaims', resourceClaimName);
  }
  cache.set(pod, found);
  return found;
}

type Add = (resource: string, name: string | undefined) => void;

function addEnvironment({ env, envFrom }: DeepReadonly<Pick<Container, 'env' | 'envFrom'>>, add: Add): void {
  for (const { valueFrom } of env ?? []) {
    add('secrets', valueFrom?.secretKeyRef?.name);
    add('configmaps', valueFrom?.configMapKeyRef?.name);
  }
  for (const source of envFrom ?? []) {
    add('secrets', source.secretRef?.name);
    add('configmaps', source.configMapRef?.name);
  }
}

function addVolume(volume: DeepReadonly<Volume>, add: Add): void {
  add('secrets', volume.secret?.secretName);
  add('configmaps', volume.configMap?.name);
  add('secrets', volume.csi?.nodePublishSecretRef?.name);
  for (const source of volume.projected?.sources ?? []) {
    add('secrets', source.secret?.name);
    add('configmaps', source.configMap?.name);
  }
}

function claimNames(pod: DeepReadonly<Pod>): string[] {
  if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return [];
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [`${pod.metadata.name}-${volume.name}`] : [];
  });
}
