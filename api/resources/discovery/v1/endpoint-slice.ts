import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { parseIP } from '../../../base/ip-address.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../../types/discovery-v1.ts';
import { duplicate, type FieldError, invalid, required, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, labelValueProblems } from '../../../validation/names.ts';
import { validateEndpointAddress } from '../../core/v1/endpoint-address.ts';
import { validateQualifiedName } from '../../core/v1/pod-spec/names.ts';

const maxShown = 3;
const maxEndpoints = 1000;
const maxAddresses = 100;
const maxPorts = 20_000;
const maxHints = 8;
const protocols = ['SCTP', 'TCP', 'UDP'];

/** Some of the addresses behind a Service. */
export const endpointSlices = defineResource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'EndpointSlice', plural: 'endpointslices' },
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  storagePrefix: 'endpointslices',
  hasGeneration: true,
  generationFields: ['addressType', 'endpoints', 'ports'],
  printerColumns: [
    nameColumn,
    textColumn('AddressType', ({ addressType }) => addressType),
    textColumn('Ports', ({ ports }) => shorten((ports ?? []).map(({ port, name }) => String(port ?? name ?? '*')))),
    textColumn('Endpoints', ({ endpoints }) => shorten((endpoints ?? []).flatMap(({ addresses }) => addresses))),
    ageColumn,
  ],
  // A field of v1beta1 that v1 shows and does not take.
  prepareForCreate(slice) {
    for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
  },
  prepareForUpdate(slice, old) {
    const hadTopology = (old.endpoints ?? []).some(({ deprecatedTopology }) => deprecatedTopology !== undefined);
    if (!hadTopology) for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
  },
  validate({ addressType, endpoints, ports }, path) {
    const errors = validateChoice(path.child('addressType'), addressType, ['FQDN', 'IPv4', 'IPv6']);
    const at = path.child('endpoints');
    if ((endpoints ?? []).length > maxEndpoints) errors.push(tooMany(at, (endpoints ?? []).length, maxEndpoints));
    else errors.push(...validateEach(endpoints, at, (endpoint, endpointPath) => validateEndpoint(endpoint, addressType, endpointPath)));
    return [...errors, ...validatePorts(ports ?? [], path.child('ports'))];
  },
  warnings: ({ addressType }) => (addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
  validateUpdate: (slice, old, path) => validateImmutable(path.child('addressType'), slice.addressType, old.addressType),
});

function shorten(texts: readonly string[]): string {
  const shown = texts.slice(0, maxShown).join(',');
  return texts.length > maxShown ? `${shown} + ${texts.length - maxShown} more...` : shown || '<unset>';
}

function validateEndpoint(endpoint: DeepReadonly<Endpoint>, addressType: string, at: FieldPath): FieldError[] {
  const { addresses = [], nodeName, hostname, hints } = endpoint;
  const path = at.child('addresses');
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(path, 'must contain at least 1 address'));
  else if (addresses.length > maxAddresses) errors.push(tooMany(path, addresses.length, maxAddresses));
  errors.push(...validateEach(addresses, path, (address, addressPath) => validateAddress(address, addressType, addressPath)));
  if (nodeName !== undefined) errors.push(...invalidFor(at.child('nodeName'), nodeName, dns1123SubdomainProblems(nodeName)));
  if (hostname !== undefined) errors.push(...invalidFor(at.child('hostname'), hostname, dns1123LabelProblems(hostname)));
  return [
    ...errors,
    ...validateHints(hints?.forZones, at.child('hints', 'forZones'), labelValueProblems),
    ...validateHints(hints?.forNodes, at.child('hints', 'forNodes'), dns1123SubdomainProblems),
  ];
}

function validateAddress(address: string, addressType: string, at: FieldPath): FieldError[] {
  if (addressType === 'FQDN') return invalidFor(at, address, dns1123SubdomainProblems(address));
  const version = parseIP(address)?.version;
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  const errors = `IPv${version}` === addressType ? [] : [invalid(at, address, `must be a valid ${addressType} address`)];
  return [
    ...errors,
    ...(version === undefined ? [invalid(at, address, 'must be a valid IP address')] : validateEndpointAddress(address, at)),
  ];
}

function validateHints(
  hints: readonly { readonly name: string }[] | undefined,
  path: FieldPath,
  problems: (name: string) => string[],
): FieldError[] {
  if (hints !== undefined && hints.length > maxHints) return [tooMany(path, hints.length, maxHints)];
  const names = new Set<string>();
  return validateEach(hints, path, ({ name }, at) => {
    const own = at.child('name');
    const repeated = names.has(name) ? [duplicate(own, name)] : [];
    names.add(name);
    return [...repeated, ...invalidFor(own, name, problems(name))];
  });
}

function validatePorts(ports: readonly DeepReadonly<EndpointPort>[], path: FieldPath): FieldError[] {
  if (ports.length > maxPorts) return [tooMany(path, ports.length, maxPorts)];
  const names = new Set<string>();
  return validateEach(ports, path, ({ name = '', protocol, appProtocol }, at) => {
    const errors = name === '' ? [] : invalidFor(at.child('name'), name, dns1123LabelProblems(name));
    if (names.has(name)) errors.push(duplicate(at.child('name'), name));
    names.add(name);
    errors.push(
      ...(protocol === undefined
        ? [required(at.child('protocol'))]
        : validateChoice(at.child('protocol'), protocol, protocols, 'unsupported')),
    );
    return appProtocol === undefined ? errors : [...errors, ...validateQualifiedName(at.child('appProtocol'), appProtocol)];
  });
}
