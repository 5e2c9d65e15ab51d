import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { formatLabels } from '../../../selectors/label-selectors.ts';
import type { Service, ServicePort } from '../../../types/core-v1.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { ipWarnings } from '../../../validation/ip-addresses.ts';
import { nameIsDNSLabel } from '../../../validation/names.ts';
import { dropTrafficPolicy, normalizeClusterIPs, prepareServiceUpdate } from './services/service-prepare.ts';
import { validateService, validateServiceStatus, validateServiceUpdate } from './services/service-validation.ts';

/** A name and an address for a changing set of Pods. */
export const services = defineResource<Service>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Service', plural: 'services', shortNames: ['svc'], categories: ['all'] },
  definition: 'io.k8s.api.core.v1.Service',
  subresources: {
    proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    status: { kind: 'Service', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'services/specs',
  // Names may begin with a digit since v1.36 (KEP-5311).
  nameRule: nameIsDNSLabel,
  allowCreateOnUpdate: true,
  printerColumns: [
    nameColumn,
    textColumn('Type', ({ spec }) => spec?.type ?? ''),
    textColumn('Cluster-IP', ({ spec }) => spec?.clusterIPs?.[0] ?? '<none>'),
    textColumn('External-IP', externalAddresses),
    textColumn('Port(s)', ({ spec }) => (spec?.ports ?? []).map(formatPort).join(',') || '<none>'),
    ageColumn,
    wideColumn('Selector', ({ spec }) => formatLabels(spec?.selector)),
  ],
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  prepareForCreate({ spec }) {
    if (!spec) return;
    normalizeClusterIPs(spec, undefined);
    dropTrafficPolicy(spec);
  },
  prepareForUpdate(service, old, { subresource }) {
    if (subresource === '') prepareServiceUpdate(service, old);
  },
  // On update the changes are validated first.
  validate: (service, path, { operation }) => (operation === 'create' ? validateService(service, path) : []),
  validateUpdate: (service, old, path) => [...validateServiceUpdate(service, old, path), ...validateService(service, path)],
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
});

function formatPort({ port, nodePort, protocol = 'TCP' }: DeepReadonly<ServicePort>): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

function externalAddresses({ spec, status }: DeepReadonly<Service>): string {
  const own = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || '<none>';
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const balancers = new Set(
        (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((address) => address !== ''),
      );
      return [...[...balancers].sort(), ...own].join(',') || '<pending>';
    }
    default:
      return '<unknown>';
  }
}

const oldHintsAnnotation = 'service.kubernetes.io/topology-aware-hints';

function serviceWarnings({ metadata, spec = {} }: DeepReadonly<Service>): string[] {
  const at = FieldPath.root.child('spec');
  const warnings: string[] = [];
  if (metadata.annotations?.[oldHintsAnnotation] !== undefined) {
    warnings.push(`annotation ${oldHintsAnnotation} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  }
  const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === 'None';
  if (spec.clusterIP && spec.clusterIP !== 'None') {
    for (const [index, address] of (spec.clusterIPs ?? []).entries())
      warnings.push(...ipWarnings(at.child('clusterIPs').index(index), address));
  }
  if (isHeadless && spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
  if (isHeadless && (spec.externalIPs ?? []).length > 0) warnings.push('spec.externalIPs is ignored for headless services');
  if (isHeadless && spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
  for (const [index, address] of (spec.externalIPs ?? []).entries())
    warnings.push(...ipWarnings(at.child('externalIPs').index(index), address));
  if (spec.loadBalancerIP) warnings.push(...ipWarnings(at.child('loadBalancerIP'), spec.loadBalancerIP));
  if (spec.type === 'ExternalName' && (spec.externalIPs ?? []).length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (spec.type !== 'ExternalName' && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  return warnings;
}
