import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import { isHeadlessService } from '../../../api/semantics/services/services.ts';
import { findTargetPort } from '../../../api/semantics/pods/pod-ports.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Pod, Service } from '../../../api/types/core-v1.ts';
import type { Endpoint, EndpointPort } from '../../../api/types/discovery-v1.ts';
import {
  type AddressType,
  type EndpointGroup,
  managedByLabel,
  portsKey,
  serviceNameLabel,
  type SliceOwner,
} from '../runtime/endpoint-slices/slice-plan.ts';
import { endpointHostname, isEndpoint } from '../runtime/service-pods.ts';
import { hasTopologyHints } from './topology-hints.ts';

export const managedBy = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';

/** The fields that all slices of the Service carry. */
export function sliceOwnerOf(service: DeepReadonly<Service>): SliceOwner {
  const { namespace = '', name = '' } = service.metadata;
  const labels: Record<string, string> = { ...service.metadata.labels };
  delete labels[headlessLabel];
  if (isHeadlessService(service)) labels[headlessLabel] = '';
  labels[serviceNameLabel] = name;
  labels[managedByLabel] = managedBy;
  const reference = controllerReference(service, { apiVersion: 'v1', kind: 'Service' });
  return { namespace, name, labels, reference, keepsEmptySlice: true };
}

/** Finds a node and its zone by its name; undefined: there is no such node. */
export type FindNode = (nodeName: string) => { readonly zone?: string | undefined } | undefined;

/** The endpoints that a Service should have in one address family, by ports. */
export function desiredEndpoints(
  service: DeepReadonly<Service>,
  pods: readonly DeepReadonly<Pod>[],
  addressType: AddressType,
  findNode: FindNode,
): Map<string, EndpointGroup> {
  const groups = new Map<string, { ports: EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!isEndpoint(pod, true) || isStranded(service, pod, findNode)) continue;
    const addresses = addressesOf(pod, addressType);
    if (addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    // All ports of the Service are named and the Pod has none of that name: traffic cannot get there.
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod, addresses, findNode));
    groups.set(key, group);
  }
  return groups;
}

/** Whether the Pod is none of the Service's endpoints since its node is not there, or not known yet. */
export function isStranded(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>, findNode: FindNode): boolean {
  const { spec } = service;
  return spec?.publishNotReadyAddresses !== true && isEndpoint(pod, true) && findNode(pod.spec?.nodeName ?? '') === undefined;
}

function addressesOf(pod: DeepReadonly<Pod>, addressType: AddressType): string[] {
  const all = pod.status?.podIPs?.map(({ ip }) => ip) ?? (pod.status?.podIP ? [pod.status.podIP] : []);
  return all.filter((ip) => ip.includes(':') === (addressType === 'IPv6'));
}

function portsOf(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = findTargetPort(pod, servicePort);
    if (port === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    const found: EndpointPort = { name, port, protocol: protocol as NonNullable<EndpointPort['protocol']> };
    if (appProtocol !== undefined) found.appProtocol = appProtocol;
    ports.push(found);
  }
  return ports;
}

function endpointOf(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>, addresses: string[], findNode: FindNode): Endpoint {
  const publishesNotReady = service.spec?.publishNotReadyAddresses === true;
  const serving = publishesNotReady || isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = publishesNotReady || (serving && !terminating);
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const endpoint: Endpoint = {
    addresses,
    conditions: { ready, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
  const nodeName = pod.spec?.nodeName;
  const zone = nodeName ? findNode(nodeName)?.zone : undefined;
  if (nodeName) endpoint.nodeName = nodeName;
  if (zone) endpoint.zone = zone;
  const hostname = endpointHostname(pod, service);
  if (hostname !== undefined) endpoint.hostname = hostname;
  // The annotation takes precedence over the field.
  if (!ready || hasTopologyHints(service)) return endpoint;
  if (zone && prefersZone(service)) endpoint.hints = { forZones: [{ name: zone }] };
  if (nodeName && service.spec?.trafficDistribution === 'PreferSameNode') {
    endpoint.hints = { ...endpoint.hints, forNodes: [{ name: nodeName }] };
  }
  return endpoint;
}

/** KEP-4444, KEP-3015. */
function prefersZone(service: DeepReadonly<Service>): boolean {
  return ['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(service.spec?.trafficDistribution ?? '');
}
