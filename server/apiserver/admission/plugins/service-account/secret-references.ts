import type { AnyContainer } from '../../../../../api/semantics/pods/pod-containers.ts';
import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import type { Pod, PodSpec, ServiceAccount } from '../../../../../api/types/core-v1.ts';

/** A reference that a mirror pod must not have: the end of the sentence `a mirror pod may not ...`. */
export function findMirrorReference({ spec }: DeepReadonly<Pod>): string | undefined {
  if (!spec) return undefined;
  if (spec.serviceAccountName) return 'reference service accounts';
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  if ((spec.imagePullSecrets ?? []).length > 0 || containers.some(usesSecret) || hasSecretVolume(spec)) return 'reference secrets';
  const isProjected = spec.volumes?.some(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined),
  );
  return isProjected ? 'use ServiceAccountToken volume projections' : undefined;
}

function usesSecret({ env, envFrom }: AnyContainer): boolean {
  return Boolean(env?.some(({ valueFrom }) => valueFrom?.secretKeyRef) || envFrom?.some(({ secretRef }) => secretRef));
}

/** Volume sources that name a secret in one of their fields. */
const secretFields = ['cephfs', 'cinder', 'flexVolume', 'rbd', 'scaleIO', 'iscsi', 'storageos'] as const;

function hasSecretVolume({ volumes }: DeepReadonly<PodSpec>): boolean {
  return Boolean(
    volumes?.some(
      (volume) =>
        volume.secret ||
        volume.azureFile ||
        volume.csi?.nodePublishSecretRef ||
        volume.projected?.sources?.some(({ secret }) => secret) ||
        secretFields.some((field) => volume[field]?.secretRef),
    ),
  );
}

/** The reason why a Pod must not use a service account that enforces its list of secrets; undefined if it may. */
export function findForbiddenReference(spec: DeepReadonly<PodSpec>, account: DeepReadonly<ServiceAccount>): string | undefined {
  const mountable = new Set(account.secrets?.map(({ name }) => name));
  const { name } = account.metadata;
  const reason = `is not allowed because service account ${name} does not reference that secret`;
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !mountable.has(secret.secretName)) return `volume with secret.secretName="${secret.secretName}" ${reason}`;
  }
  const groups: readonly (readonly [string, readonly AnyContainer[] | undefined])[] = [
    ['init container', spec.initContainers],
    ['container', spec.containers],
    ['ephemeral container', spec.ephemeralContainers],
  ];
  for (const [title, containers] of groups) {
    for (const container of containers ?? []) {
      for (const { name: variable, valueFrom } of container.env ?? []) {
        const secret = valueFrom?.secretKeyRef?.name;
        if (secret !== undefined && !mountable.has(secret)) {
          return `${title} ${container.name} with envVar ${variable} referencing secret.secretName="${secret}" ${reason}`;
        }
      }
    }
  }
  const pullable = new Set(account.imagePullSecrets?.map((secret) => secret.name));
  const index = spec.imagePullSecrets?.findIndex((secret) => !pullable.has(secret.name)) ?? -1;
  if (index < 0) return undefined;
  return `imagePullSecrets[${index}].name="${spec.imagePullSecrets?.[index]?.name}" is not allowed because service account ${name} does not reference that imagePullSecret`;
}
