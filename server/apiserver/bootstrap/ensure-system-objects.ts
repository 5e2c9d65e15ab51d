import type { FrontProxyTrust } from '../authentication/request-headers.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { priorityClasses } from '../../../api/resources/scheduling/v1/priority-class.ts';
import { ensureObject } from './ensure-object.ts';
import {
  extensionAuthentication,
  kubernetesEndpoints,
  kubernetesEndpointSlice,
  kubernetesService,
  type ServingAddress,
  systemNamespaces,
  systemPriorityClasses,
} from './system-objects.ts';

export interface SystemObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly serviceCIDRs: readonly string[];
  /** First address of the first service range. */
  readonly kubernetesServiceAddress: string;
  readonly serving: ServingAddress;
  readonly clusterCAPEM: string;
  readonly frontProxyCAPEM: string;
  /** Absent: the defaults. */
  readonly frontProxy?: FrontProxyTrust | undefined;
}

/** Namespaces come first: all else lives in them. */
export async function ensureSystemNamespaces(client: Client): Promise<void> {
  await Promise.all(systemNamespaces.map((one) => ensureObject(client, namespaces, one)));
}

/** The ConfigMap by which extension API servers authenticate the users of requests from the aggregator. */
export async function ensureExtensionAuthentication({
  client,
  clusterCAPEM,
  frontProxyCAPEM,
  frontProxy,
}: SystemObjectsOptions): Promise<void> {
  const wanted = extensionAuthentication(clusterCAPEM, frontProxyCAPEM, frontProxy);
  await ensureObject(client, configMaps, wanted, (present) => ({ ...present, data: { ...present.data, ...wanted.data } }));
}

export async function ensurePriorityClasses(client: Client): Promise<void> {
  await Promise.all(systemPriorityClasses.map((one) => ensureObject(client, priorityClasses, one)));
}

/** Keeps the Service by which Pods find the API server, and its Endpoints, as they should be. */
export async function ensureKubernetesService(options: SystemObjectsOptions): Promise<void> {
  const { client, serving } = options;
  await Promise.all([
    ensureObject(client, services, kubernetesService(options.kubernetesServiceAddress, serving.port), (present) => ({
      ...present,
      spec: { ...present.spec, ports: kubernetesService(options.kubernetesServiceAddress, serving.port).spec?.ports ?? [] },
    })),
    ensureObject(client, endpoints, kubernetesEndpoints(serving), (present) => ({
      ...present,
      subsets: kubernetesEndpoints(serving).subsets ?? [],
    })),
    ensureObject(client, endpointSlices, kubernetesEndpointSlice(serving), (present) => {
      const { endpoints: wanted, ports } = kubernetesEndpointSlice(serving);
      return { ...present, endpoints: wanted ?? [], ports: ports ?? [] };
    }),
  ]);
}
