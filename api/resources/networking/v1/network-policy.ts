import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { networkAddress, parseCIDR } from '../../../base/ip-address.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import { formatLabelSelector } from '../../../selectors/label-selectors.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../../types/networking-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { portNameProblems, portNumberProblems } from '../../../validation/formats.ts';
import { validateCIDR } from '../../../validation/ip-addresses.ts';
import { validateLabelSelector } from '../../../validation/labels.ts';

/** Rules of the traffic to and from the Pods that a policy selects. */
export const networkPolicies = defineResource<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'NetworkPolicy', plural: 'networkpolicies', shortNames: ['netpol'] },
  definition: 'io.k8s.api.networking.v1.NetworkPolicy',
  tellsTwice: true,
  storagePrefix: 'networkpolicies',
  hasGeneration: true,
  printerColumns: [nameColumn, textColumn('Pod-Selector', ({ spec }) => formatLabelSelector(spec?.podSelector)), ageColumn],
  validate({ spec = {} }, path) {
    const at = path.child('spec');
    const errors = [
      ...validateLabelSelector(spec.podSelector, at.child('podSelector')),
      ...validateEach(spec.ingress, at.child('ingress'), ({ ports, from }, rule) => [
        ...validateEach(ports, rule.child('ports'), validatePort),
        ...validateEach(from, rule.child('from'), validatePeer),
      ]),
      ...validateEach(spec.egress, at.child('egress'), ({ ports, to }, rule) => [
        ...validateEach(ports, rule.child('ports'), validatePort),
        ...validateEach(to, rule.child('to'), validatePeer),
      ]),
    ];
    const types = spec.policyTypes ?? [];
    if (types.length > 2) return [...errors, invalid(at.child('policyTypes'), types, 'may not specify more than two policyTypes')];
    return [
      ...errors,
      ...validateEach(types, at.child('policyTypes'), (type, typePath) =>
        type === 'Ingress' || type === 'Egress' ? [] : [notSupported(typePath, type, ['Ingress', 'Egress'])],
      ),
    ];
  },
});

function validatePort({ protocol, port, endPort }: DeepReadonly<NetworkPolicyPort>, at: FieldPath): FieldError[] {
  const errors = protocol === undefined ? [] : validateChoice(at.child('protocol'), protocol, ['TCP', 'UDP', 'SCTP'], 'unsupported');
  if (port === undefined) {
    if (endPort !== undefined) errors.push(invalid(at.child('endPort'), endPort, 'may not be specified when `port` is not specified'));
    return errors;
  }
  if (typeof port === 'string') {
    if (endPort !== undefined) errors.push(invalid(at.child('endPort'), endPort, 'may not be specified when `port` is non-numeric'));
    return [...errors, ...invalidFor(at.child('port'), port, portNameProblems(port))];
  }
  errors.push(...invalidFor(at.child('port'), port, portNumberProblems(port)));
  if (endPort === undefined) return errors;
  // The value shown is upstream's.
  if (endPort < port) errors.push(invalid(at.child('endPort'), port, 'must be greater than or equal to `port`'));
  return [...errors, ...invalidFor(at.child('endPort'), endPort, portNumberProblems(endPort))];
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: DeepReadonly<NetworkPolicyPeer>, at: FieldPath): FieldError[] {
  const errors = [
    ...validateLabelSelector(podSelector, at.child('podSelector')),
    ...validateLabelSelector(namespaceSelector, at.child('namespaceSelector')),
    ...(ipBlock ? validateIPBlock(ipBlock, at.child('ipBlock')) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(at, 'must specify a peer'));
  else if (ipBlock && (podSelector || namespaceSelector)) errors.push(forbidden(at, 'may not specify both ipBlock and another peer'));
  return errors;
}

function validateIPBlock({ cidr, except }: DeepReadonly<IPBlock>, at: FieldPath): FieldError[] {
  if (!cidr) return [required(at.child('cidr'))];
  const errors = validateCIDR(at.child('cidr'), cidr);
  if (errors.length > 0) return errors;
  const whole = parseCIDR(cidr);
  return validateEach(except, at.child('except'), (range, path) => {
    const problems = validateCIDR(path, range);
    const part = parseCIDR(range);
    if (problems.length > 0 || !whole || !part) return problems;
    const isWithin =
      part.address.version === whole.address.version &&
      part.prefixLength > whole.prefixLength &&
      networkAddress({ address: part.address, prefixLength: whole.prefixLength }).value === networkAddress(whole).value;
    return isWithin ? [] : [invalid(path, range, 'must be a strict subset of `cidr`')];
  });
}
