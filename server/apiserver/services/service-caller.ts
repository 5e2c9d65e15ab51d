import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Random } from '../../../api/base/random.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { notFound } from '../../../api/meta/status-errors.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { clusterAddress, resolveService, type ServiceEndpoint } from './resolve-service.ts';
import type { SecureDialer, SecureRequest, TLSSettings } from './secure-dialer.ts';

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** Calls Services of the cluster from the control plane, as webhooks and aggregated API servers are called. */
export interface ServiceCaller {
  /**
   * Sends an HTTPS request to a ready endpoint of the Service, whose certificate must be for `<name>.<namespace>.svc`. Rejects with a
   * StatusError if the Service has no such port or no ready endpoint, and as the dialer does. `endpoint` is one that was chosen before.
   */
  send(service: ServiceReference & TLSSettings & { readonly endpoint?: ServiceEndpoint }, request: SecureRequest): Promise<APIResponse>;
  /** Where the Service leads at the moment. Throws as `send` rejects. */
  resolve(service: ServiceReference): ServiceEndpoint;
  findService(key: { readonly namespace: string; readonly name: string }): DeepReadonly<Service> | undefined;
  /** The EndpointSlices of a Service. */
  slicesOf(key: { readonly namespace: string; readonly name: string }): readonly DeepReadonly<EndpointSlice>[];
}

interface ServiceCallerDependencies {
  readonly informers: InformerFactory;
  readonly dialer: SecureDialer;
  readonly random: Random;
  /** Whether Services are called at their endpoints, and not at their ClusterIPs. */
  readonly routesToEndpoints: boolean;
}

const serviceIndex = 'called-service';
const serviceLabel = 'kubernetes.io/service-name';

/** Resolves by the Services and EndpointSlices that `informers` know. */
export function createServiceCaller({ informers, dialer, random, routesToEndpoints }: ServiceCallerDependencies): ServiceCaller {
  const known = informers.informer(services).lister;
  const slices = informers.informer(endpointSlices);
  slices.addIndex(serviceIndex, ({ metadata }) => {
    const name = metadata.labels?.[serviceLabel];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  });
  const slicesOf: ServiceCaller['slicesOf'] = ({ namespace, name }) => slices.lister.byIndex(serviceIndex, `${namespace}/${name}`);
  const resolve = ({ namespace, name, port }: ServiceReference): ServiceEndpoint => {
    const service = known.find({ namespace, name });
    if (!service) throw notFound({ group: '', resource: 'service' }, name);
    return routesToEndpoints ? resolveService(service, slicesOf({ namespace, name }), port, random) : clusterAddress(service, port);
  };
  return {
    resolve,
    slicesOf,
    findService: ({ namespace, name }) => known.find({ namespace, name }),
    async send({ namespace, name, port, endpoint: chosen, ...settings }, request) {
      const endpoint = chosen ?? resolve({ namespace, name, port });
      return dialer.send({ ...settings, ...endpoint, serverName: `${name}.${namespace}.svc`, refuseLocal: true }, request);
    },
  };
}
