import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { findServicePort, readyEndpoints } from '../services/resolve-service.ts';
import type { ServiceReference } from '../services/service-caller.ts';

/** Content of the condition Available of an APIService. */
export interface Availability {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export const available: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' };

export const locallyAvailable: Availability = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' };

export function failedDiscovery(message: string): Availability {
  return { status: 'False', reason: 'FailedDiscoveryCheck', message };
}

/** The verdict on an APIService by the objects of the cluster; undefined: its Service has to be asked. */
export function judgeService(
  { namespace, name, port }: ServiceReference,
  service: DeepReadonly<Service> | undefined,
  slices: readonly DeepReadonly<EndpointSlice>[],
): Availability | undefined {
  const refuse = (reason: string, message: string): Availability => ({ status: 'False', reason, message });
  const shown = `service/${name} in ${quote(namespace)}`;
  if (!service) return refuse('ServiceNotFound', `${shown} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const found = findServicePort(service, port);
  if (!found) return refuse('ServicePortError', `${shown} is not listening on port ${port}`);
  if (slices.length === 0) return refuse('EndpointsNotFound', `cannot find endpointslices for ${shown}`);
  const portName = found.name ?? '';
  if (readyEndpoints(service, slices, portName).length === 0)
    return refuse('MissingEndpoints', `endpointslices for ${shown} have no addresses with port name ${quote(portName)}`);
  return undefined;
}
