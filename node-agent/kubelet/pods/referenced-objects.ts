import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ConfigMap, Pod, Secret } from '../../../api/types/core-v1.ts';
import type { PodServices } from './pod-services.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

interface ReferenceNames {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
}

/** Names of the ConfigMaps and Secrets that a container's environment is made of. */
function environmentReferences({ env = [], envFrom = [] }: AnyContainer): ReferenceNames {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const add = (names: Set<string>, reference: { readonly name?: string } | undefined) => {
    if (reference?.name) names.add(reference.name);
  };
  for (const { valueFrom } of env) {
    add(configMaps, valueFrom?.configMapKeyRef);
    add(secrets, valueFrom?.secretKeyRef);
  }
  for (const { configMapRef, secretRef } of envFrom) {
    add(configMaps, configMapRef);
    add(secrets, secretRef);
  }
  return { configMaps, secrets };
}

/** Names of all ConfigMaps and Secrets that a Pod is made of: environment, volumes, pull secrets. */
export function podReferences({ spec }: DeepReadonly<Pod>): ReferenceNames {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])]) {
    const references = environmentReferences(container);
    for (const name of references.configMaps) configMaps.add(name);
    for (const name of references.secrets) secrets.add(name);
  }
  for (const { configMap, secret, projected } of spec?.volumes ?? []) {
    if (configMap?.name) configMaps.add(configMap.name);
    if (secret?.secretName) secrets.add(secret.secretName);
    for (const source of projected?.sources ?? []) {
      if (source.configMap?.name) configMaps.add(source.configMap.name);
      if (source.secret?.name) secrets.add(source.secret.name);
    }
  }
  for (const { name } of spec?.imagePullSecrets ?? []) if (name) secrets.add(name);
  return { configMaps, secrets };
}

/** Fetches the objects that a container's environment refers to, so that the environment itself can be made without waiting. */
export async function referencedObjects(
  pod: DeepReadonly<Pod>,
  container: AnyContainer,
  services: Pick<PodServices, 'configMap' | 'secret'>,
) {
  const namespace = pod.metadata.namespace ?? '';
  const names = environmentReferences(container);
  const configMaps = new Map<string, DeepReadonly<ConfigMap> | undefined>();
  const secrets = new Map<string, DeepReadonly<Secret> | undefined>();
  for (const name of names.configMaps) configMaps.set(name, await services.configMap(namespace, name));
  for (const name of names.secrets) secrets.set(name, await services.secret(namespace, name));
  return { configMap: (name: string) => configMaps.get(name), secret: (name: string) => secrets.get(name) };
}
