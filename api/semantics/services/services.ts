import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Service } from '../../types/core-v1.ts';

/** Whether the Service has no virtual address on purpose: DNS answers with its Pods. */
export function isHeadlessService(service: DeepReadonly<Service>): boolean {
  return service.spec?.clusterIP === 'None';
}

/** Whether the Service gets a virtual address, so that nodes have to route it. */
export function hasClusterIP(service: DeepReadonly<Service>): boolean {
  return service.spec?.type !== 'ExternalName' && !isHeadlessService(service) && (service.spec?.clusterIP ?? '') !== '';
}

/** Whether the Service gets ports on every node. */
export function usesNodePorts(service: DeepReadonly<Service>): boolean {
  const { type, allocateLoadBalancerNodePorts } = service.spec ?? {};
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

/** Whether traffic from outside may only go to Pods of the node it arrived at. */
export function requiresLocalExternalTraffic(service: DeepReadonly<Service>): boolean {
  const { type, externalTrafficPolicy } = service.spec ?? {};
  return (type === 'NodePort' || type === 'LoadBalancer') && externalTrafficPolicy === 'Local';
}

/** Whether load balancers need a port for asking a node if it has Pods of the Service. */
export function needsHealthCheckNodePort(service: DeepReadonly<Service>): boolean {
  return service.spec?.type === 'LoadBalancer' && requiresLocalExternalTraffic(service);
}
