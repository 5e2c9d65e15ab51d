import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../base/equality.ts';
import { needsHealthCheckNodePort } from '../../../../semantics/services/services.ts';
import type { Service, ServicePort, ServiceSpec } from '../../../../types/core-v1.ts';

type Old = DeepReadonly<ServiceSpec>;

const hasAddresses = (spec: Old) => spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
const hasNodePorts = (spec: Old) =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
/** Whether the Service's type has node ports, whether or not they are given by the server. */
const isExposed = ({ type }: Old) => type === 'NodePort' || type === 'LoadBalancer';
const isBalanced = (spec: Old) => spec.type === 'LoadBalancer';
const needsHealthCheck = (spec: Old) => needsHealthCheckNodePort({ metadata: {}, spec });

/** Whether traffic can come from outside the cluster. */
export function isExternallyAccessible(spec: Old): boolean {
  return spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
}

/**
 * Copies between `clusterIP` and the first of `clusterIPs`. Clients that know only `clusterIP` mean both; clients that know both set both.
 * Modifies.
 */
export function normalizeClusterIPs(spec: ServiceSpec, old: Old | undefined): void {
  const setAll = (addresses: string[]) => {
    if (addresses.length > 0) spec.clusterIPs = addresses;
    else delete spec.clusterIPs;
  };
  if (old === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) setAll([spec.clusterIP]);
    return;
  }
  const isSameList = isSemanticallyEqual(spec.clusterIPs, old.clusterIPs);
  const isSameOne = (spec.clusterIP ?? '') === (old.clusterIP ?? '');
  if (isSameOne && (spec.clusterIPs ?? []).length === 0) setAll([...(old.clusterIPs ?? [])]);
  if (!isSameOne && isSameList) setAll(spec.clusterIP ? [spec.clusterIP] : []);
}

/** Restores allocated values that an update left out, so that applying the same manifest again changes nothing. Modifies. */
function keepAllocatedValues(spec: ServiceSpec, old: Old): void {
  if (hasAddresses(spec) && hasAddresses(old)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs];
  }
  if (hasNodePorts(spec) && hasNodePorts(old)) keepNodePorts(spec.ports ?? [], old.ports ?? []);
  if (needsHealthCheck(spec) && needsHealthCheck(old) && !spec.healthCheckNodePort && old.healthCheckNodePort) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

function keepNodePorts(ports: ServicePort[], old: readonly DeepReadonly<ServicePort>[]): void {
  const key = ({ protocol, nodePort }: DeepReadonly<ServicePort>) => `${protocol}/${nodePort}`;
  const used = new Set(ports.filter(({ nodePort }) => nodePort).map(key));
  const keyOf = ({ protocol, port }: DeepReadonly<ServicePort>) => `${protocol}/${port}`;
  const byPort = new Map(old.toReversed().map((port) => [keyOf(port), port]));
  for (const port of ports) {
    if (port.nodePort) continue;
    const before = byPort.get(keyOf(port));
    if (!before?.nodePort || used.has(key(before))) continue;
    port.nodePort = before.nodePort;
    used.add(key(before));
  }
}

/** When the type changes, drops unchanged fields that the new type does not use. Modifies. */
function dropFieldsOfOldType(spec: ServiceSpec, old: Old): void {
  if (hasAddresses(old) && !hasAddresses(spec)) {
    if (spec.clusterIP === old.clusterIP && isSemanticallyEqual(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (isSemanticallyEqual(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (isExposed(old) && !isExposed(spec)) {
    const before = new Set((old.ports ?? []).map(({ nodePort = 0 }) => nodePort));
    // Ports may come and go, as long as none is asked for anew.
    if ((spec.ports ?? []).every(({ nodePort = 0 }) => nodePort === 0 || before.has(nodePort)))
      for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
    delete spec.healthCheckNodePort;
  if (isBalanced(old) && !isBalanced(spec)) {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy;
  }
}

/** A name of something outside has no traffic to lead. Modifies. */
export function dropTrafficPolicy(spec: ServiceSpec): void {
  const { type, internalTrafficPolicy: policy } = spec;
  if (type === 'ExternalName' && (policy === 'Cluster' || policy === 'Local')) delete spec.internalTrafficPolicy;
}

/** An update of the main resource, before addresses and ports are allocated. Modifies. */
export function prepareServiceUpdate({ spec }: Service, { spec: old }: DeepReadonly<Service>): void {
  if (!spec || !old) return;
  keepAllocatedValues(spec, old);
  normalizeClusterIPs(spec, old);
  dropFieldsOfOldType(spec, old);
  dropTrafficPolicy(spec);
}
