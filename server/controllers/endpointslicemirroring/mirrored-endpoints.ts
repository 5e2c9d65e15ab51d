import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import type { EndpointAddress, Endpoints, ObjectReference, Service } from '../../../api/types/core-v1.ts';
import type { Endpoint, EndpointPort } from '../../../api/types/discovery-v1.ts';
import {
  type AddressType,
  type EndpointGroup,
  managedByLabel,
  portsKey,
  serviceNameLabel,
  type SliceOwner,
} from '../runtime/endpoint-slices/slice-plan.ts';

export const managedBy = 'endpointslicemirroring-controller.k8s.io';

/** The maximum number of addresses of one subset that are mirrored. */
const maxEndpointsPerSubset = 1000;
const headlessLabel = 'service.kubernetes.io/headless';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const notCopied: ReadonlySet<string> = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

/** Whether these Endpoints are managed by hand for a Service without a selector. */
export function isMirrored(endpoints: DeepReadonly<Endpoints>, service: DeepReadonly<Service> | undefined): boolean {
  if (service === undefined || service.spec?.selector !== undefined || endpoints.metadata.deletionTimestamp !== undefined) return false;
  if (endpoints.metadata.labels?.[skipLabel] === 'true') return false;
  return endpoints.metadata.annotations?.[leaderAnnotation] === undefined;
}

export function mirrorOwnerOf(endpoints: DeepReadonly<Endpoints>): SliceOwner {
  const { namespace = '', name = '' } = endpoints.metadata;
  const { [headlessLabel]: _headless, ...labels } = endpoints.metadata.labels ?? {};
  const annotations = Object.fromEntries(Object.entries(endpoints.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)));
  return {
    namespace,
    name,
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: managedBy },
    annotations,
    reference: controllerReference(endpoints, { apiVersion: 'v1', kind: 'Endpoints' }),
    keepsEmptySlice: false,
  };
}

/** The endpoints of one address family, by ports. */
export function mirroredEndpoints({ subsets = [] }: DeepReadonly<Endpoints>, addressType: AddressType): Map<string, EndpointGroup> {
  const groups = new Map<string, { ports: EndpointPort[]; endpoints: Endpoint[] }>();
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol }): EndpointPort => {
      const mirrored: EndpointPort = { name, port, protocol: protocol as NonNullable<EndpointPort['protocol']> };
      return appProtocol === undefined ? mirrored : { ...mirrored, appProtocol };
    });
    const group = groups.get(portsKey(ports)) ?? { ports, endpoints: [] };
    const all = [
      ...(subset.addresses ?? []).map((address) => endpointOf(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => endpointOf(address, false)),
    ];
    const ofFamily = all.filter(({ addresses }) => addresses[0]?.includes(':') === (addressType === 'IPv6'));
    if (ofFamily.length === 0) continue;
    group.endpoints.push(...ofFamily.slice(0, maxEndpointsPerSubset));
    groups.set(portsKey(ports), group);
  }
  return groups;
}

function endpointOf(address: DeepReadonly<EndpointAddress>, ready: boolean): Endpoint {
  const endpoint: Endpoint = { addresses: [address.ip], conditions: { ready } };
  if (address.targetRef !== undefined) endpoint.targetRef = { ...address.targetRef } as ObjectReference;
  if (address.nodeName) endpoint.nodeName = address.nodeName;
  if (address.hostname) endpoint.hostname = address.hostname;
  return endpoint;
}
