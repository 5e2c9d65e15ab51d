import { apiServices } from '../../api/resources/apiregistration/v1/api-service.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import type { APIServerParts } from '../apiserver/api-server.ts';
import { createMetricsServer } from '../apiserver/metrics-server/metrics-api.ts';
import { createUsageSampler } from '../apiserver/metrics-server/usage-sampler.ts';
import type { GroupServer } from '../apiserver/routing/group-server.ts';
import type { Dialer } from '../apiserver/subresources/subresource.ts';

/** The server of metrics.k8s.io, which asks the nodes through `dialer`. */
export function openMetricsServer(dialer: Dialer, { client, informers, clock, logger }: APIServerParts): GroupServer {
  const sampler = createUsageSampler({
    clock,
    logger,
    dialer,
    nodes: async () => (await client(nodes).list({ resourceVersion: '0' })).items,
  });
  return createMetricsServer({ client, apiServices: informers.informer(apiServices).lister, sampler });
}
