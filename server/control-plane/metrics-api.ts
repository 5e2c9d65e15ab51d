import { apiServices } from '../../api/resources/apiregistration/v1/api-service.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import type { APIServerParts, ServedResources } from '../apiserver/api-server.ts';
import { withMetricsAPI } from '../apiserver/metrics-server/metrics-api.ts';
import { createUsageSampler } from '../apiserver/metrics-server/usage-sampler.ts';
import type { Dialer } from '../apiserver/subresources/subresource.ts';

/** `resources` and metrics.k8s.io, which asks the nodes through `dialer`. */
export function addMetricsAPI(resources: ServedResources, { dialer }: { readonly dialer: Dialer }, parts: APIServerParts): ServedResources {
  const { client, informers, clock, logger } = parts;
  const sampler = createUsageSampler({
    clock,
    logger,
    dialer,
    nodes: async () => (await client(nodes).list({ resourceVersion: '0' })).items,
  });
  return withMetricsAPI(resources, { client, apiServices: informers.informer(apiServices).lister, sampler });
}
