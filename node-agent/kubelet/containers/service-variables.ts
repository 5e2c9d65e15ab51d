import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { hasClusterIP } from '../../../api/semantics/services/services.ts';
import type { Pod, Service } from '../../../api/types/core-v1.ts';

type Variables = Map<string, string>;

/**
 * The environment variables for Services: those of the Pod's namespace if `enableServiceLinks` is on, and always that of the API server in
 * `default` (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
export function serviceVariables(pod: DeepReadonly<Pod>, services: readonly DeepReadonly<Service>[]): Variables {
  const namespace = pod.metadata.namespace ?? '';
  const withLinks = pod.spec?.enableServiceLinks ?? true;
  const chosen = new Map<string, DeepReadonly<Service>>();
  for (const service of services) {
    const { name = '', namespace: home } = service.metadata;
    if (!hasClusterIP(service)) continue;
    if (home === namespace && withLinks) chosen.set(name, service);
    else if (home === 'default' && name === 'kubernetes' && !chosen.has(name)) chosen.set(name, service);
  }
  const variables: Variables = new Map();
  for (const service of chosen.values()) addService(variables, service);
  return variables;
}

function variableName(text: string): string {
  return text.toUpperCase().replaceAll('-', '_');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function addService(variables: Variables, { metadata, spec }: DeepReadonly<Service>): void {
  const name = variableName(metadata.name ?? '');
  const address = spec?.clusterIP ?? '';
  const ports = spec?.ports ?? [];
  const first = ports[0];
  if (!first) return;
  variables.set(`${name}_SERVICE_HOST`, address);
  variables.set(`${name}_SERVICE_PORT`, String(first.port));
  for (const port of ports) if (port.name) variables.set(`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
  variables.set(`${name}_PORT`, `${(first.protocol ?? 'TCP').toLowerCase()}://${bracketed(address)}:${first.port}`);
  for (const { port, protocol = 'TCP' } of ports) {
    const prefix = `${name}_PORT_${port}_${protocol}`;
    variables.set(prefix, `${protocol.toLowerCase()}://${bracketed(address)}:${port}`);
    variables.set(`${prefix}_PROTO`, protocol.toLowerCase());
    variables.set(`${prefix}_PORT`, String(port));
    variables.set(`${prefix}_ADDR`, address);
  }
}
