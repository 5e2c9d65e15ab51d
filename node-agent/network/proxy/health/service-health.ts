import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { familyOf } from '../../../../api/semantics/services/ip-family.ts';
import { hasClusterIP, needsHealthCheckNodePort } from '../../../../api/semantics/services/services.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';

/** The health, for load balancers, of a Service with externalTrafficPolicy Local. */
export interface ServiceHealth {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** spec.healthCheckNodePort. */
  readonly port: number;
  /** Ready endpoints on this node. */
  readonly localEndpoints: number;
}

/** Undefined: load balancers do not ask for this Service. */
export function planServiceHealth(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  nodeName: string,
): ServiceHealth | undefined {
  const { metadata, spec } = service;
  const port = spec?.healthCheckNodePort;
  if (!port || !needsHealthCheckNodePort(service) || !hasClusterIP(service)) return undefined;
  // Pods with addresses of two families are in slices of both, but count once.
  const family = familyOf(spec.clusterIP ?? '');
  const local = new Set(
    slices.flatMap(({ addressType, endpoints }) =>
      addressType !== family
        ? []
        : (endpoints ?? [])
            .filter((endpoint) => endpoint.nodeName === nodeName && (endpoint.conditions?.ready ?? true))
            .flatMap(({ addresses }) => addresses[0] ?? []),
    ),
  );
  const { namespace = '', name = '', uid = '' } = metadata;
  return { namespace, name, uid, port, localEndpoints: local.size };
}
