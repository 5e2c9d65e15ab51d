import type { LimitRangeItem, Namespace, NodeStatus, ReplicationController, Service } from '../../types/core-v1.ts';
import { type ConditionalDefaults, isUnset } from './conditional-default.ts';

function defaultLimitRangeItem(item: LimitRangeItem): void {
  if (item.type !== 'Container') return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

function defaultNamespace({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}

function defaultNodeStatus(status: NodeStatus): void {
  if (status.capacity) status.allocatable ??= { ...status.capacity };
}

function defaultReplicationController({ metadata, spec }: ReplicationController): void {
  const labels = spec?.template?.metadata?.labels;
  if (!spec || !labels) return;
  if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
  if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

function defaultService({ spec, status }: Service): void {
  if (!spec) return;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
  }
  spec.type ||= 'ClusterIP';
  const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (isExternal || (spec.type === 'ClusterIP' && spec.externalIPs?.length)) spec.externalTrafficPolicy ||= 'Cluster';
  if (isExternal || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster';
  for (const port of spec.ports ?? []) if (isUnset(port.targetPort)) port.targetPort = port.port;
  if (spec.type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

export const coreDefaults: ConditionalDefaults = [
  ['io.k8s.api.core.v1.LimitRangeItem', defaultLimitRangeItem],
  ['io.k8s.api.core.v1.Namespace', defaultNamespace],
  ['io.k8s.api.core.v1.NodeStatus', defaultNodeStatus],
  ['io.k8s.api.core.v1.ReplicationController', defaultReplicationController],
  ['io.k8s.api.core.v1.Service', defaultService],
];
