import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { familyOf, type IPFamily, ofFamily } from '../../../../api/semantics/services/ip-family.ts';
import { hasClusterIP, requiresLocalExternalTraffic } from '../../../../api/semantics/services/services.ts';
import type { Service, ServicePort } from '../../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import { canonicalIP, collectEndpoints, type Endpoint, nearEndpoints, type NodeIdentity, usableEndpoints } from './endpoint.ts';

type L4Protocol = 'tcp' | 'udp' | 'sctp';

/** The fate of a packet for which there is no endpoint. */
export type NoEndpointVerdict = 'reject' | 'drop';

/** The rules of a node for one port of one Service. All addresses are of one family. */
export interface ServicePortRules {
  readonly namespace: string;
  readonly service: string;
  /** Empty for the only port of a Service without a name. */
  readonly portName: string;
  readonly protocol: L4Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** Port on every address of the node. */
  readonly nodePort?: number;
  /** spec.externalIPs. */
  readonly externalIPs: readonly string[];
  /** Addresses of load balancers that deliver to the node unchanged. */
  readonly loadBalancerIPs: readonly string[];
  /** CIDRs that may use loadBalancerIPs; absent: all may. */
  readonly loadBalancerSourceRanges?: readonly string[];
  /** A client keeps its endpoint until it was silent for this many seconds. */
  readonly affinitySeconds?: number;
  readonly internalPolicy: 'Cluster' | 'Local';
  readonly externalPolicy: 'Cluster' | 'Local';
  /** The endpoints for traffic under the policy Cluster. */
  readonly clusterEndpoints: readonly Endpoint[];
  /** For traffic under policy Local; empty if neither policy is. */
  readonly localEndpoints: readonly Endpoint[];
  /** Absent: there are endpoints. */
  readonly internalVerdict?: NoEndpointVerdict;
  readonly externalVerdict?: NoEndpointVerdict;
}

/** Services with the first label are implemented by another proxy; those with the second have no virtual address. */
const notOurs = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'] as const;
const defaultAffinitySeconds = 10_800;

/** The rules of every port of a Service; none for Services without a virtual address of the family, and for those of other proxies. */
export function planServicePorts(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  node: NodeIdentity,
  family: IPFamily,
): ServicePortRules[] {
  if (!hasClusterIP(service) || notOurs.some((label) => service.metadata.labels?.[label] !== undefined)) return [];
  const { clusterIP = '', clusterIPs = [clusterIP], ports = [] } = service.spec ?? {};
  const address = canonicalIP(clusterIPs.find((text) => familyOf(text) === family));
  if (address === undefined) return [];
  const addresses = { clusterIP: address, ...externalAddressesOf(service, family) };
  return ports.map((port) => planPort(service, port, addresses, slices, node, family));
}

type ServiceAddresses = Pick<ServicePortRules, 'clusterIP' | 'externalIPs' | 'loadBalancerIPs'>;

function externalAddressesOf({ spec, status }: DeepReadonly<Service>, family: IPFamily): Omit<ServiceAddresses, 'clusterIP'> {
  const ingress = spec?.type === 'LoadBalancer' ? (status?.loadBalancer?.ingress ?? []) : [];
  const unchanged = ingress.filter(({ ipMode }) => (ipMode ?? 'VIP') === 'VIP').flatMap(({ ip }) => ip ?? []);
  return { externalIPs: addressesOf(spec?.externalIPs ?? [], family), loadBalancerIPs: addressesOf(unchanged, family) };
}

function planPort(
  service: DeepReadonly<Service>,
  port: DeepReadonly<ServicePort>,
  { clusterIP, externalIPs, loadBalancerIPs }: ServiceAddresses,
  slices: readonly DeepReadonly<EndpointSlice>[],
  node: NodeIdentity,
  family: IPFamily,
): ServicePortRules {
  const { spec, metadata } = service;
  const { name = '', protocol = 'TCP' } = port;
  const isLoadBalancer = spec?.type === 'LoadBalancer';
  const isExternal = Boolean(port.nodePort) || externalIPs.length > 0 || loadBalancerIPs.length > 0;
  const internalPolicy = spec?.internalTrafficPolicy ?? 'Cluster';
  const externalPolicy = requiresLocalExternalTraffic(service) ? 'Local' : 'Cluster';
  const all = collectEndpoints(slices, { name, protocol }, node, family);
  // Pods of the cluster reach the external addresses as if by policy Cluster, under external policy Local too.
  const clusterEndpoints = internalPolicy === 'Cluster' || isExternal ? usableEndpoints(nearEndpoints(all, node)) : [];
  const usesLocal = internalPolicy === 'Local' || (externalPolicy === 'Local' && isExternal);
  const localEndpoints = usesLocal ? usableEndpoints(all.filter(({ local }) => local)) : [];
  const existsSomewhere = usableEndpoints(all).length > 0;
  const verdictOf = (policy: 'Cluster' | 'Local'): NoEndpointVerdict | undefined => {
    if ((policy === 'Local' ? localEndpoints : clusterEndpoints).length > 0) return undefined;
    return policy === 'Local' && existsSomewhere ? 'drop' : 'reject';
  };
  const [internalVerdict, externalVerdict] = [verdictOf(internalPolicy), verdictOf(externalPolicy)];
  return {
    namespace: metadata.namespace ?? '',
    service: metadata.name ?? '',
    portName: name,
    protocol: protocol.toLowerCase() as L4Protocol,
    clusterIP,
    port: port.port,
    ...(port.nodePort ? { nodePort: port.nodePort } : {}),
    externalIPs,
    loadBalancerIPs,
    ...(isLoadBalancer && spec.loadBalancerSourceRanges?.length
      ? {
          loadBalancerSourceRanges: ofFamily(
            spec.loadBalancerSourceRanges.map((range) => range.trim()),
            family,
          ),
        }
      : {}),
    ...(spec?.sessionAffinity === 'ClientIP'
      ? { affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds }
      : {}),
    internalPolicy,
    externalPolicy,
    clusterEndpoints,
    localEndpoints,
    ...(internalVerdict === undefined ? {} : { internalVerdict }),
    ...(externalVerdict === undefined ? {} : { externalVerdict }),
  };
}

function addressesOf(texts: readonly string[], family: IPFamily): string[] {
  return ofFamily(texts, family).flatMap((text) => canonicalIP(text) ?? []);
}
