import { defaultFrontProxyTrust, type FrontProxyTrust } from '../authentication/request-headers.ts';
import type { ConfigMap, Endpoints, Namespace, Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import type { ServiceCIDR } from '../../../api/types/networking-v1.ts';
import type { PriorityClass } from '../../../api/types/scheduling-v1.ts';

/** Pure: the objects that a cluster has from its beginning. */

export const systemNamespaces: readonly Namespace[] = ['kube-system', 'kube-public', 'kube-node-lease', 'default'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
}));

export const systemPriorityClasses: readonly PriorityClass[] = [
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];

export interface ServingAddress {
  /** The address at which Pods and nodes reach this server. */
  readonly address: string;
  readonly port: number;
}

/** The Service through which pods find the API; `clusterIP` is the first address of the service range. */
export function kubernetesService(clusterIP: string, port: number): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [clusterIP.includes(':') ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
    },
  };
}

/** A machine without a network: no other machine could reach a loopback address, and endpoints may not have it. */
const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

export function kubernetesEndpoints({ address, port }: ServingAddress): Endpoints {
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    // Its EndpointSlice is made here too, so it must not be mirrored.
    metadata: { namespace: 'default', name: 'kubernetes', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: isLoopback(address) ? [] : [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

export function kubernetesEndpointSlice({ address, port }: ServingAddress): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: isLoopback(address) ? [] : [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}

export function defaultServiceCIDR(cidrs: readonly string[]): ServiceCIDR {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'kubernetes' }, spec: { cidrs: [...cidrs] } };
}

/** The configuration by which extension API servers verify the users that this server names. */
export function extensionAuthentication(
  clientCAPEM: string,
  frontProxyCAPEM: string,
  { allowedNames, headers }: FrontProxyTrust = defaultFrontProxyTrust,
): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'extension-apiserver-authentication' },
    data: {
      'client-ca-file': clientCAPEM,
      'requestheader-allowed-names': JSON.stringify(allowedNames),
      'requestheader-client-ca-file': frontProxyCAPEM,
      'requestheader-extra-headers-prefix': JSON.stringify(headers.extraPrefixes),
      'requestheader-group-headers': JSON.stringify(headers.groups),
      'requestheader-uid-headers': JSON.stringify(headers.uids),
      'requestheader-username-headers': JSON.stringify(headers.usernames),
    },
  };
}
