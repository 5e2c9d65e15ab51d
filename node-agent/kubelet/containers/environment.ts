import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { ConfigMap, Container, EnvVar, EphemeralContainer, Pod, Secret } from '../../../api/types/core-v1.ts';
import { ContainerConfigError } from './config-error.ts';
import { expandVariables } from './expand-variables.ts';
import { fieldValue, type NodeAllocatable, type PodAddresses, resourceValue } from './field-values.ts';

export interface EnvironmentSources extends PodAddresses {
  readonly pod: DeepReadonly<Pod>;
  readonly container: DeepReadonly<Container | EphemeralContainer>;
  readonly serviceVariables: ReadonlyMap<string, string>;
  readonly allocatable: NodeAllocatable;
  /** Undefined if there is none of that name in the Pod's namespace. */
  readonly configMap: (name: string) => DeepReadonly<ConfigMap> | undefined;
  readonly secret: (name: string) => DeepReadonly<Secret> | undefined;
}

/**
 * A container's environment: `envFrom` in order, then `env` in order, later names winning, then the Services' variables
 * where the name is free. Values may refer to variables before them by `$(NAME)`. Throws ContainerConfigError.
 */
export function makeEnvironment(sources: EnvironmentSources): Map<string, string> {
  const { container, serviceVariables } = sources;
  const result = new Map<string, string>();
  for (const from of container.envFrom ?? []) {
    const data = from.configMapRef ? configMapData(sources, from.configMapRef) : from.secretRef ? secretData(sources, from.secretRef) : {};
    for (const [key, value] of Object.entries(data)) result.set(`${from.prefix ?? ''}${key}`, value);
  }
  const lookUp = (name: string) => result.get(name) ?? serviceVariables.get(name);
  for (const variable of container.env ?? []) {
    const value = variableValue(sources, variable, lookUp);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of serviceVariables) if (!result.has(name)) result.set(name, value);
  return result;
}

function variableValue(
  sources: EnvironmentSources,
  { value = '', valueFrom }: DeepReadonly<EnvVar>,
  lookUp: (name: string) => string | undefined,
): string | undefined {
  if (value !== '' || !valueFrom) return expandVariables(value, lookUp);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) return fieldValue(fieldRef.fieldPath, sources.pod, sources);
  if (resourceFieldRef) return resourceValue(resourceFieldRef, sources.pod, ownResources(sources), sources.allocatable);
  const namespace = sources.pod.metadata.namespace ?? '';
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef;
    const found = configMapData(sources, { name, optional: optional ?? false })[key];
    if (found === undefined && !optional) throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return found;
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef;
    const found = secretData(sources, { name, optional: optional ?? false })[key];
    if (found === undefined && !optional) throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return found;
  }
  throw new ContainerConfigError('an environment variable takes its value from a source that this node does not support');
}

/** Ephemeral containers have no resources. */
function ownResources({ pod, container }: EnvironmentSources): DeepReadonly<Container> | undefined {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find(({ name }) => name === container.name);
}

interface Reference {
  readonly name?: string;
  readonly optional?: boolean;
}

function configMapData(sources: EnvironmentSources, { name = '', optional }: Reference): Readonly<Record<string, string>> {
  const found = sources.configMap(name);
  if (!found && !optional) throw new ContainerConfigError(`configmap "${name}" not found`);
  return found?.data ?? {};
}

function secretData(sources: EnvironmentSources, { name = '', optional }: Reference): Record<string, string> {
  const found = sources.secret(name);
  if (!found && !optional) throw new ContainerConfigError(`secret "${name}" not found`);
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}
