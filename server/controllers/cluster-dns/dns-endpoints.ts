import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import { clusterDNSPort, clusterDNSService, servesClusterDNS } from '../../../api/semantics/services/cluster-dns.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import type { Node, Service } from '../../../api/types/core-v1.ts';
import type { Endpoint, EndpointPort } from '../../../api/types/discovery-v1.ts';
import {
  type AddressType,
  type EndpointGroup,
  managedByLabel,
  portsKey,
  serviceNameLabel,
  type SliceOwner,
} from '../runtime/endpoint-slices/slice-plan.ts';

export const managedBy = 'cluster-dns-controller.kubets';

/** The Service that is created with the first node, with the name and labels that CoreDNS has in other clusters. */
export function dnsService(clusterIP: string): Service {
  return {
    metadata: {
      ...clusterDNSService,
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [clusterIP.includes(':') ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      // Every node answers its own Pods, so no node depends on another and no query crosses the network. Pods on a node with another
      // kubelet, which has no DNS server, ask the other nodes.
      trafficDistribution: 'PreferSameNode',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: clusterDNSPort },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: clusterDNSPort },
      ],
    },
  };
}

/** Whether the nodes serve the DNS Service. False for a Service of that name that was made for Pods. */
export function isServedByNodes({ spec, metadata }: DeepReadonly<Service>): boolean {
  const hasSelector = Object.keys(spec?.selector ?? {}).length > 0;
  return !hasSelector && spec?.type !== 'ExternalName' && metadata.deletionTimestamp === undefined;
}

export function sliceOwnerOf(service: DeepReadonly<Service>): SliceOwner {
  const { namespace = '', name = '', labels } = service.metadata;
  return {
    namespace,
    name,
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: managedBy },
    reference: controllerReference(service, { apiVersion: 'v1', kind: 'Service' }),
    keepsEmptySlice: true,
  };
}

/**
 * The endpoints of cluster DNS: the address of every node with a DNS server, ready as long as its node is, so that nobody asks a lost node.
 * If no node is ready, all endpoints are: a server that may be gone is better than none. Under internalTrafficPolicy Local, only a node's
 * own Pods ask it.
 */
export function dnsEndpoints(
  service: DeepReadonly<Service>,
  nodes: readonly DeepReadonly<Node>[],
  addressType: AddressType,
): Map<string, EndpointGroup> {
  const servers = nodes.filter(servesClusterDNS);
  const isAnyReady = servers.some(isNodeReady);
  const isNear = service.spec?.trafficDistribution === 'PreferSameNode';
  const isLocal = service.spec?.internalTrafficPolicy === 'Local';
  const endpoints = servers.flatMap((node): Endpoint[] => {
    const { metadata, status } = node;
    const ready = isLocal || isNodeReady(node) || !isAnyReady;
    const address = status?.addresses?.find((one) => one.type === 'InternalIP' && one.address.includes(':') === (addressType === 'IPv6'));
    if (address === undefined || metadata.name === undefined) return [];
    return [
      {
        addresses: [address.address],
        conditions: { ready, serving: ready, terminating: false },
        nodeName: metadata.name,
        ...(isNear && ready ? { hints: { forNodes: [{ name: metadata.name }] } } : {}),
        targetRef: { kind: 'Node', name: metadata.name, ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) },
      },
    ];
  });
  if (endpoints.length === 0) return new Map();
  const ports = (service.spec?.ports ?? []).map(
    ({ name = '', protocol = 'TCP', port, targetPort }): EndpointPort => ({
      name,
      port: typeof targetPort === 'number' ? targetPort : port,
      protocol,
    }),
  );
  return new Map([[portsKey(ports), { ports, endpoints }]]);
}

/** Whether a change of a node changes the address of its DNS server, or whether it has one. */
export function movesDNS(node: DeepReadonly<Node>, old: DeepReadonly<Node>): boolean {
  const facts = (one: DeepReadonly<Node>) => JSON.stringify([one.status?.addresses ?? [], servesClusterDNS(one), isNodeReady(one)]);
  return facts(node) !== facts(old);
}
