import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { serviceUnavailable } from '../../../api/meta/status-errors.ts';
import type { Service, ServicePort } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';

/** Where a port of a Service leads. */
export interface ServiceEndpoint {
  /** An IP address, or the name of a Service of type ExternalName. */
  readonly host: string;
  readonly port: number;
}

/**
 * Chooses one of the ready endpoints of a Service at random, or its external name. Throws as kube-apiserver does for a port that the
 * Service does not have, and if there is no ready endpoint.
 */
export function resolveService(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  port: number,
  random: Random,
): ServiceEndpoint {
  const { type = 'ClusterIP', externalName = '' } = service.spec ?? {};
  if (type === 'ExternalName') return { host: externalName, port };
  if (!routable.has(type)) throw new Error(`unsupported service type ${JSON.stringify(type)}`);
  const name = service.metadata.name ?? '';
  const found = findServicePort(service, port);
  if (!found) throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const candidates = readyEndpoints(service, slices, found.name ?? '');
  const chosen = candidates[randomInt(random, candidates.length)];
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return chosen;
}

/** The ClusterIP of a Service, or its external name. Throws for a port that the Service has not, and for headless Services. */
export function clusterAddress({ metadata, spec }: DeepReadonly<Service>, port: number): ServiceEndpoint {
  const { type = 'ClusterIP', externalName = '', clusterIP = '' } = spec ?? {};
  if (type === 'ExternalName') return { host: externalName, port };
  if (!routable.has(type)) throw new Error(`unsupported service type ${JSON.stringify(type)}`);
  if (clusterIP === '' || clusterIP === 'None') throw new Error(`cannot route to service with ClusterIP ${JSON.stringify(clusterIP)}`);
  if (!spec?.ports?.some((candidate) => candidate.port === port))
    throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(metadata.name ?? '')}`);
  return { host: clusterIP, port };
}

const routable: ReadonlySet<string> = new Set(['ClusterIP', 'LoadBalancer', 'NodePort']);

export function findServicePort({ spec }: DeepReadonly<Service>, port: number): DeepReadonly<ServicePort> | undefined {
  return spec?.ports?.find((candidate) => candidate.port === port);
}

/** Addresses that take connections for a named port, of the Service's first family if there are any of it. */
export function readyEndpoints(
  { spec }: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  portName: string,
): ServiceEndpoint[] {
  const [family] = spec?.ipFamilies ?? [];
  const numeric = slices.filter(({ addressType }) => addressType === 'IPv4' || addressType === 'IPv6');
  const preferred = endpointsOf(
    numeric.filter(({ addressType }) => addressType === family),
    portName,
  );
  return preferred.length > 0 ? preferred : endpointsOf(numeric, portName);
}

function endpointsOf(slices: readonly DeepReadonly<EndpointSlice>[], portName: string): ServiceEndpoint[] {
  return slices.flatMap(({ endpoints, ports }) => {
    const port = ports?.find(({ name }) => (name ?? '') === portName)?.port;
    if (port === undefined) return [];
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return ready.flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port })));
  });
}
