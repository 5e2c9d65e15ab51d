import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../base/equality.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { EndpointAddress, Endpoints, EndpointSubset } from '../../../types/core-v1.ts';
import { type FieldError, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { portNumberProblems } from '../../../validation/formats.ts';
import { validateIP } from '../../../validation/ip-addresses.ts';
import { validateEndpointAddress } from './endpoint-address.ts';
import { validateDNSLabel, validateDNSSubdomain, validateQualifiedName } from './pod-spec/names.ts';

const maxShown = 3;

/** The addresses behind a Service, in one object. EndpointSlices have replaced it. */
export const endpoints = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Endpoints', plural: 'endpoints', shortNames: ['ep'] },
  definition: 'io.k8s.api.core.v1.Endpoints',
  storagePrefix: 'services/endpoints',
  allowCreateOnUpdate: true,
  printerColumns: [nameColumn, textColumn('Endpoints', formatEndpoints), ageColumn],
  validate: ({ subsets }, path, { operation }) => (operation === 'create' ? validateSubsets(subsets, path) : []),
  validateUpdate: ({ subsets }, old, path) => (isSemanticallyEqual(subsets, old.subsets) ? [] : validateSubsets(subsets, path)),
  deprecationWarning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
});

function formatEndpoints({ subsets = [] }: DeepReadonly<Endpoints>): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`))),
  );
  if (subsets.length === 0) return '<none>';
  const shown = all.slice(0, maxShown).join(',');
  return all.length > maxShown ? `${shown} + ${all.length - maxShown} more...` : shown;
}

function validateSubsets(subsets: readonly DeepReadonly<EndpointSubset>[] | undefined, path: FieldPath): FieldError[] {
  return validateEach(subsets, path.child('subsets'), ({ addresses = [], notReadyAddresses = [], ports = [] }, at) => [
    ...(addresses.length === 0 && notReadyAddresses.length === 0 ? [required(at, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...validateEach(addresses, at.child('addresses'), validateAddress),
    ...validateEach(notReadyAddresses, at.child('notReadyAddresses'), validateAddress),
    ...validateEach(ports, at.child('ports'), ({ name, port, protocol, appProtocol }, portPath) => [
      ...(name ? validateDNSLabel(portPath.child('name'), name) : ports.length > 1 ? [required(portPath.child('name'))] : []),
      ...invalidFor(portPath.child('port'), port, portNumberProblems(port)),
      ...validateChoice(portPath.child('protocol'), protocol, ['SCTP', 'TCP', 'UDP']),
      ...(appProtocol === undefined ? [] : validateQualifiedName(portPath.child('appProtocol'), appProtocol)),
    ]),
  ]);
}

function validateAddress({ ip, hostname, nodeName }: DeepReadonly<EndpointAddress>, at: FieldPath): FieldError[] {
  return [
    ...validateIP(at.child('ip'), ip),
    ...(hostname ? validateDNSLabel(at.child('hostname'), hostname) : []),
    ...(nodeName === undefined ? [] : validateDNSSubdomain(at.child('nodeName'), nodeName)),
    ...validateEndpointAddress(ip, at.child('ip')),
  ];
}
