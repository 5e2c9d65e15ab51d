import { repeatedIndexes } from '../../../../base/repeats.ts';
import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { parseIP } from '../../../../base/ip-address.ts';
import { invalidFor, validateChoice, validateEach } from '../../../../resource/field-rules.ts';
import { needsHealthCheckNodePort } from '../../../../semantics/services/services.ts';
import type { Service, ServicePort, ServiceSpec } from '../../../../types/core-v1.ts';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  hasEnoughErrors,
} from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { portNumberProblems } from '../../../../validation/formats.ts';
import { validateCIDR, validateIP } from '../../../../validation/ip-addresses.ts';
import { validateLabels } from '../../../../validation/labels.ts';
import { validateEndpointAddress } from '../endpoint-address.ts';
import { validateDNSLabel, validateDNSSubdomain, validatePortReference, validateQualifiedName } from '../pod-spec/names.ts';
import { isExternallyAccessible } from './service-prepare.ts';

type Spec = DeepReadonly<ServiceSpec>;

const protocols = ['SCTP', 'TCP', 'UDP'];
const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const maxAffinitySeconds = 86_400;
const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function isHeadless({ clusterIPs = [] }: Spec): boolean {
  return clusterIPs.length === 1 && clusterIPs[0] === 'None';
}

/** All rules of a Service, once addresses and ports have been allocated. */
export function validateService(service: DeepReadonly<Service>, path: FieldPath): FieldError[] {
  const { spec = {} } = service;
  const at = path.child('spec');
  const { ports = [], sessionAffinity } = spec;
  const errors: FieldError[] = [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required(at.child('ports')));
  return [
    ...errors,
    ...validateOfType(spec, at),
    ...validatePorts(spec, at.child('ports')),
    ...validateLabels(spec.selector, at.child('selector')),
    ...validateChoice(at.child('sessionAffinity'), sessionAffinity, ['ClientIP', 'None']),
    ...validateAffinityConfig(spec, at.child('sessionAffinityConfig')),
    ...validateClusterIPs(spec, at),
    ...validateEach(spec.externalIPs, at.child('externalIPs'), (address, addressPath) => {
      const problems = validateIP(addressPath, address);
      return problems.length > 0 ? problems : validateEndpointAddress(address, addressPath);
    }),
    ...validateChoice(at.child('type'), spec.type, types),
    ...validatePortUniqueness(spec, at.child('ports')),
    ...validateSourceRanges(service, path),
    ...validateLoadBalancer(spec, at),
    ...validateTraffic(spec, at),
  ];
}

function validateOfType(spec: Spec, path: FieldPath): FieldError[] {
  const { type, clusterIPs = [], externalName = '' } = spec;
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    return [invalid(path.child('clusterIPs').index(0), clusterIPs[0], `may not be set to 'None' for ${type} services`)];
  }
  if (type !== 'ExternalName') return [];
  const errors: FieldError[] = [];
  const refuse = (field: string) => errors.push(forbidden(path.child(field), 'may not be set for ExternalName services'));
  if (clusterIPs.length > 0) refuse('clusterIPs');
  if ((spec.ipFamilies ?? []).length > 0) refuse('ipFamilies');
  if (spec.ipFamilyPolicy !== undefined) refuse('ipFamilyPolicy');
  const name = externalName.replace(/\.$/, '');
  if (name === '') errors.push(required(path.child('externalName')));
  else errors.push(...validateDNSSubdomain(path.child('externalName'), name));
  return errors;
}

function validatePorts({ ports = [] }: Spec, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return validateEach(ports, path, ({ name, port, protocol, targetPort, appProtocol }, at) => {
    const errors: FieldError[] = [];
    if (name) {
      errors.push(...validateDNSLabel(at.child('name'), name));
      if (names.has(name)) errors.push(duplicate(at.child('name'), name));
      names.add(name);
    } else if (ports.length > 1) errors.push(required(at.child('name')));
    errors.push(
      ...invalidFor(at.child('port'), port ?? 0, portNumberProblems(port ?? 0)),
      ...validateChoice(at.child('protocol'), protocol, protocols),
      ...validatePortReference(at.child('targetPort'), targetPort),
    );
    return appProtocol === undefined ? errors : [...errors, ...validateQualifiedName(at.child('appProtocol'), appProtocol)];
  });
}

function validatePortUniqueness({ type, ports = [] }: Spec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const repeated = (
    key: (port: DeepReadonly<ServicePort>) => string | undefined,
    report: (port: DeepReadonly<ServicePort>, at: FieldPath) => FieldError,
  ) => {
    const seen = new Set<string>();
    for (const [index, port] of ports.entries()) {
      const own = key(port);
      if (own === undefined) continue;
      if (seen.has(own)) errors.push(report(port, path.index(index)));
      seen.add(own);
    }
  };
  if (type === 'ClusterIP') {
    for (const [index, { nodePort }] of ports.entries()) {
      if (nodePort) errors.push(forbidden(path.index(index).child('nodePort'), "may not be used when `type` is 'ClusterIP'"));
    }
  }
  repeated(
    ({ protocol, nodePort }) => (nodePort ? `${protocol}/${nodePort}` : undefined),
    ({ nodePort }, at) => duplicate(at.child('nodePort'), nodePort),
  );
  repeated(
    ({ protocol, port }) => `${protocol}/${port}`,
    ({ protocol, port }, at) => duplicate(at, { protocol, port }),
  );
  return errors;
}

function validateAffinityConfig({ sessionAffinity, sessionAffinityConfig: config }: Spec, path: FieldPath): FieldError[] {
  if (sessionAffinity === 'None') return config === undefined ? [] : [forbidden(path, 'must not be set when session affinity is None')];
  if (sessionAffinity !== 'ClientIP') return [];
  const when = 'when session affinity type is ClientIP';
  if (config === undefined) return [required(path, when)];
  if (config.clientIP === undefined) return [required(path.child('clientIP'), when)];
  const seconds = config.clientIP.timeoutSeconds;
  const at = path.child('clientIP', 'timeoutSeconds');
  if (seconds === undefined) return [required(at, when)];
  return seconds > 0 && seconds <= maxAffinitySeconds
    ? []
    : [invalid(at, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`)];
}

/** Cluster addresses among themselves and against the IP families; whether they are free is the allocator's matter. */
/** The rules of addresses and families alone, which allocation relies on. */
export function validateClusterIPs(spec: Spec, path: FieldPath): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const at = path.child('clusterIPs');
  const errors: FieldError[] = [];
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) errors.push(required(at));
    else if (clusterIPs[0] !== clusterIP) errors.push(invalid(at, clusterIPs, 'first value must match `clusterIP`'));
  } else if (clusterIPs.length > 0) errors.push(invalid(at, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  const families = path.child('ipFamilies');
  const repeated = repeatedIndexes(ipFamilies);
  for (const [index, family] of ipFamilies.entries()) {
    if (hasEnoughErrors(errors)) break;
    if (family !== 'IPv4' && family !== 'IPv6') errors.push(notSupported(families.index(index), family, ['IPv4', 'IPv6']));
    if (repeated.has(index)) errors.push(duplicate(families.index(index), family));
  }
  if (ipFamilyPolicy !== undefined) {
    errors.push(
      ...validateChoice(
        path.child('ipFamilyPolicy'),
        ipFamilyPolicy,
        ['PreferDualStack', 'RequireDualStack', 'SingleStack'],
        'unsupported',
      ),
    );
  }
  const addressErrors = validateEach(clusterIPs, at, (address, addressPath, index) => {
    if (index > 0 || address !== 'None') return validateIP(addressPath, address);
    return clusterIPs.length > 1 ? [invalid(at, clusterIPs, "'None' must be the first and only value")] : [];
  });
  errors.push(...addressErrors);
  if (clusterIPs.length > 2) errors.push(invalid(at, clusterIPs, 'may only hold up to 2 values'));
  if (addressErrors.length > 0) return errors;
  const versions = clusterIPs.map((address) => parseIP(address)?.version);
  if (clusterIPs.length > 1 && new Set(versions).size < clusterIPs.length) {
    errors.push(invalid(at, clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  for (const [index, address] of clusterIPs.entries()) {
    const family = ipFamilies[index];
    if ((family !== 'IPv4' && family !== 'IPv6') || family === `IPv${versions[index]}`) continue;
    errors.push(invalid(at.index(index), address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``));
  }
  return errors;
}

function validateSourceRanges({ metadata, spec = {} }: DeepReadonly<Service>, path: FieldPath): FieldError[] {
  const onlyBalanced = "may only be used when `type` is 'LoadBalancer'";
  const { loadBalancerSourceRanges: ranges = [] } = spec;
  const annotation = metadata.annotations?.[sourceRangesAnnotation];
  if (ranges.length > 0) {
    const at = path.child('spec', 'LoadBalancerSourceRanges');
    return [
      ...(spec.type === 'LoadBalancer' ? [] : [forbidden(at, onlyBalanced)]),
      ...validateEach(ranges, at, (range, rangePath) => validateCIDR(rangePath, range.trim())),
    ];
  }
  if (annotation === undefined) return [];
  const at = path.child('metadata', 'annotations').key(sourceRangesAnnotation);
  const listed = annotation.trim() === '' ? [] : annotation.split(',');
  return [
    ...(spec.type === 'LoadBalancer' ? [] : [forbidden(at, onlyBalanced)]),
    ...listed.flatMap((range) => validateCIDR(at, range.trim())),
  ];
}

function validateLoadBalancer({ type, allocateLoadBalancerNodePorts, loadBalancerClass }: Spec, path: FieldPath): FieldError[] {
  const onlyBalanced = "may only be used when `type` is 'LoadBalancer'";
  const errors: FieldError[] = [];
  if (type !== 'LoadBalancer') {
    if (allocateLoadBalancerNodePorts !== undefined) errors.push(forbidden(path.child('allocateLoadBalancerNodePorts'), onlyBalanced));
    if (loadBalancerClass !== undefined) errors.push(forbidden(path.child('loadBalancerClass'), onlyBalanced));
    return errors;
  }
  if (allocateLoadBalancerNodePorts === undefined) errors.push(required(path.child('allocateLoadBalancerNodePorts')));
  if (loadBalancerClass !== undefined) errors.push(...validateQualifiedName(path.child('loadBalancerClass'), loadBalancerClass));
  return errors;
}

function validateTraffic(spec: Spec, path: FieldPath): FieldError[] {
  const { type, externalTrafficPolicy: external, healthCheckNodePort = 0, internalTrafficPolicy: internal, trafficDistribution } = spec;
  const errors: FieldError[] = [];
  const at = path.child('externalTrafficPolicy');
  if (isExternallyAccessible(spec)) errors.push(...validateChoice(at, external, ['Cluster', 'Local']));
  else if (external) errors.push(invalid(at, external, 'may only be set for externally-accessible services'));
  const healthCheck = path.child('healthCheckNodePort');
  if (!needsHealthCheckNodePort({ metadata: {}, spec })) {
    if (healthCheckNodePort !== 0) {
      errors.push(
        invalid(healthCheck, healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"),
      );
    }
  } else if (healthCheckNodePort === 0) errors.push(required(healthCheck));
  else errors.push(...invalidFor(healthCheck, healthCheckNodePort, portNumberProblems(healthCheckNodePort)));
  if (internal !== undefined)
    errors.push(...validateChoice(path.child('internalTrafficPolicy'), internal, ['Cluster', 'Local'], 'unsupported'));
  else if (type !== undefined && type !== 'ExternalName' && types.includes(type))
    errors.push(required(path.child('internalTrafficPolicy')));
  if (trafficDistribution !== undefined) {
    const supported = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
    errors.push(...validateChoice(path.child('trafficDistribution'), trafficDistribution, supported, 'unsupported'));
  }
  return errors;
}

/** Validates a change of a Service: some fields are immutable, above all its addresses, once it has them. */
export function validateServiceUpdate(
  { spec = {} }: DeepReadonly<Service>,
  { spec: old = {} }: DeepReadonly<Service>,
  path: FieldPath,
): FieldError[] {
  const at = path.child('spec');
  const errors: FieldError[] = [];
  if (types.includes(spec.type ?? '') && spec.type !== 'ExternalName' && old.type !== 'ExternalName') {
    errors.push(...validateClusterIPsUpdate(spec, old, at));
    if (!isHeadless(spec) && !isHeadless(old)) errors.push(...validateFamiliesUpdate(spec, old, at));
  }
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalid(at.child('loadBalancerClass'), spec.loadBalancerClass, 'may not change once set'));
  }
  const needs = (candidate: Spec) => needsHealthCheckNodePort({ metadata: {}, spec: candidate });
  if (needs(spec) && needs(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbidden(at.child('healthCheckNodePort'), 'field is immutable'));
  }
  return errors;
}

function validateClusterIPsUpdate(spec: Spec, old: Spec, path: FieldPath): FieldError[] {
  if (isHeadless(spec) && isHeadless(old)) return [];
  const [now, before] = [spec.clusterIPs ?? [], old.clusterIPs ?? []];
  const at = path.child('clusterIPs');
  const fixed = now.length === before.length ? before : before.slice(0, 1);
  if (before.length > now.length && now.length === 0) return [invalid(at.index(0), null, 'primary clusterIP can not be unset')];
  const errors = fixed.flatMap((address, index) =>
    address === now[index] ? [] : [invalid(at.index(index), now, 'may not change once set')],
  );
  if (before.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.push(
      invalid(path.child('ipFamilyPolicy'), spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"),
    );
  }
  return errors;
}

function validateFamiliesUpdate(spec: Spec, old: Spec, path: FieldPath): FieldError[] {
  const [now, before] = [spec.ipFamilies ?? [], old.ipFamilies ?? []];
  const at = path.child('ipFamilies').index(0);
  const fixed = now.length === before.length ? before : before.slice(0, Math.min(1, now.length));
  const errors = fixed.flatMap((family, index) => (family === now[index] ? [] : [invalid(at, now, 'may not change once set')]));
  if (before.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    errors.push(
      invalid(path.child('ipFamilyPolicy'), spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily"),
    );
  }
  return errors;
}

/** Validates the status that a load balancer reports (KEP-1860 for ipMode). */
export function validateServiceStatus({ status, spec }: DeepReadonly<Service>, _old: unknown, path: FieldPath): FieldError[] {
  const at = path.child('status', 'loadBalancer', 'ingress');
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && spec?.type !== 'LoadBalancer') {
    return [forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return validateEach(ingress, at, ({ ip, ipMode, hostname }, ingressPath) => [
    ...(ip ? validateIP(ingressPath.child('ip'), ip) : []),
    ...validateIPMode(ip, ipMode, ingressPath.child('ipMode')),
    ...(hostname ? validateIngressHostname(hostname, ingressPath.child('hostname')) : []),
  ]);
}

function validateIPMode(ip: string | undefined, mode: string | undefined, path: FieldPath): FieldError[] {
  if (ip)
    return mode === undefined
      ? [required(path, 'must be specified when `ip` is set')]
      : validateChoice(path, mode, ['Proxy', 'VIP'], 'unsupported');
  return mode === undefined ? [] : [forbidden(path, 'may not be specified when `ip` is not set')];
}

function validateIngressHostname(hostname: string, path: FieldPath): FieldError[] {
  if (parseIP(hostname) !== undefined)
    return [...validateDNSSubdomain(path, hostname), invalid(path, hostname, 'must be a DNS name, not an IP address')];
  return validateDNSSubdomain(path, hostname);
}
