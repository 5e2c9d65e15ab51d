import type { AnyContainer } from '../../../../semantics/pods/pod-containers.ts';
import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { quote } from '../../../../base/quote.ts';
import { quantityMilliValue } from '../../../../base/quantity/arithmetic.ts';
import type { ContainerPort, EnvVar, PodSpec, PodTemplateSpec, Volume } from '../../../../types/core-v1.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { ipWarnings } from '../../../../validation/ip-addresses.ts';
import { claimSpecWarnings } from '../volumes/claim-spec-warnings.ts';
import { nodeLabelDeprecation, nodeSelectorTermWarnings } from './node-label-warnings.ts';
import { overlappingPathWarnings } from './volumes/overlapping-paths.ts';

const deprecatedAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

const deprecatedVolumes: Partial<Record<keyof Volume, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/**
 * Warnings for fields of a Pod or template that are deprecated or most likely a mistake. `path` is the path of the object that holds
 * metadata and spec.
 */
export function podWarnings({ metadata, spec }: DeepReadonly<PodTemplateSpec>, path: FieldPath): string[] {
  if (spec === undefined) return [];
  const specPath = path.child('spec');
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const message = nodeLabelDeprecation(key);
    if (message) warnings.push(`${specPath.child('nodeSelector').key(key)}: ${message}`);
  }
  warnings.push(...nodeAffinityWarnings(spec, specPath.child('affinity', 'nodeAffinity')));
  for (const [index, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = specPath.child('topologySpreadConstraints').index(index);
    const message = nodeLabelDeprecation(constraint.topologyKey);
    if (message) warnings.push(`${at.child('topologyKey')}: ${constraint.topologyKey} is ${message}`);
    if (!constraint.labelSelector) warnings.push(`${at.child('labelSelector')}: a null labelSelector results in matching no pod`);
  }
  for (const [key, message] of Object.entries(deprecatedAnnotations)) {
    if (metadata?.annotations?.[key] !== undefined) warnings.push(`${path.child('metadata', 'annotations').key(key)}: ${message}`);
  }
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    for (const [field, message] of Object.entries(deprecatedVolumes)) {
      const shown = field === 'storageos' ? 'storageOS' : field;
      if (Object.hasOwn(volume, field)) warnings.push(`${specPath.child('volumes').index(index).child(shown)}: ${message}`);
    }
  }
  warnings.push(...(spec.volumes ?? []).flatMap(overlappingPathWarnings), ...claimTemplateWarnings(spec, specPath.child('volumes')));
  warnings.push(...duplicateWarnings(spec, specPath));
  const containers = containersWithPaths(spec, specPath);
  warnings.push(...profileWarnings(metadata?.annotations ?? {}, spec, containers, path.child('metadata', 'annotations')));
  for (const [container, at] of containers)
    warnings.push(...fractionWarnings(container, at), ...envWarnings(container.env ?? [], at.child('env')));
  warnings.push(...portWarnings(containers));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(`${specPath.child('terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  return [...warnings, ...affinityWarnings(spec, specPath), ...addressWarnings(spec, specPath)];
}

function claimTemplateWarnings({ volumes = [] }: DeepReadonly<PodSpec>, path: FieldPath): string[] {
  return volumes.flatMap(({ ephemeral }, index) => {
    const claim = ephemeral?.volumeClaimTemplate;
    return claim ? claimSpecWarnings(claim.spec, path.index(index).child('ephemeral', 'volumeClaimTemplate', 'spec')) : [];
  });
}

function nodeAffinityWarnings({ affinity }: DeepReadonly<PodSpec>, path: FieldPath): string[] {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const requiredPath = path.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
  const preferredPath = path.child('preferredDuringSchedulingIgnoredDuringExecution');
  return [
    ...required.flatMap((term, index) => nodeSelectorTermWarnings(term, requiredPath.index(index))),
    ...preferred.flatMap(({ preference }, index) => nodeSelectorTermWarnings(preference, preferredPath.index(index).child('preference'))),
  ];
}

/** Annotations that were how profiles were named before there were fields. */
function profileWarnings(
  annotations: Readonly<Record<string, string>>,
  { securityContext }: DeepReadonly<PodSpec>,
  containers: readonly [AnyContainer, FieldPath][],
  path: FieldPath,
): string[] {
  const warnings: string[] = [];
  const warn = (key: string, message: string) => {
    if (Object.hasOwn(annotations, key)) warnings.push(`${path.key(key)}: ${message}`);
  };
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  const appArmor = 'deprecated since v1.30; use the "appArmorProfile" field instead';
  if (!securityContext?.seccompProfile) warn('seccomp.security.alpha.kubernetes.io/pod', seccomp);
  for (const [{ name, securityContext: own }] of containers) {
    if (!own?.seccompProfile) warn(`container.seccomp.security.alpha.kubernetes.io/${name}`, seccomp);
    if (!securityContext?.appArmorProfile && !own?.appArmorProfile)
      warn(`container.apparmor.security.beta.kubernetes.io/${name}`, appArmor);
  }
  return warnings;
}

function containersWithPaths(spec: DeepReadonly<PodSpec>, path: FieldPath): [AnyContainer, FieldPath][] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index): [AnyContainer, FieldPath] => [container, path.child(field).index(index)]),
  );
}

function duplicateWarnings(spec: DeepReadonly<PodSpec>, path: FieldPath): string[] {
  const warnings: string[] = [];
  const addresses = new Set<string>();
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (addresses.has(ip)) warnings.push(`${path.child('hostAliases').index(index).child('ip')}: duplicate ip ${quote(ip)}`);
    addresses.add(ip);
  }
  const secrets = new Set<string>();
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    const at = path.child('imagePullSecrets').index(index).child('name');
    if (secrets.has(name)) warnings.push(`${at}: duplicate name ${quote(name)}`);
    if (name === '') warnings.push(`${at}: invalid empty name ""`);
    secrets.add(name);
  }
  return warnings;
}

function fractionWarnings(container: AnyContainer, path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const name of ['memory', 'ephemeral-storage']) {
    for (const field of ['limits', 'requests'] as const) {
      const text = container.resources?.[field]?.[name];
      if (text === undefined || quantityMilliValue(text) % 1000 === 0) continue;
      warnings.push(`${path.child('resources', field).key(name)}: fractional byte value ${quote(text)} is invalid, must be an integer`);
    }
  }
  return warnings;
}

function envWarnings(variables: readonly DeepReadonly<EnvVar>[], path: FieldPath): string[] {
  const seen = new Set<string>();
  const warnings: string[] = [];
  for (const [index, { name, value = '', valueFrom }] of variables.entries()) {
    const reference = `$(${name})`;
    const extends_ = valueFrom === undefined && value !== reference && value.includes(reference);
    if (seen.has(name) && !extends_) {
      warnings.push(`${path.index(index)}: hides previous definition of ${quote(name)}, which may be dropped when using apply`);
    }
    seen.add(name);
  }
  return warnings;
}

function portWarnings(containers: readonly [AnyContainer, FieldPath][]): string[] {
  const warnings: string[] = [];
  const known = new Map<string, { readonly at: FieldPath; readonly port: DeepReadonly<ContainerPort> }[]>();
  const names = new Map<string, FieldPath>();
  const nameWarnings: string[] = [];
  for (const [container, path] of containers) {
    for (const [index, port] of (container.ports ?? []).entries()) {
      const at = path.child('ports').index(index);
      if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${formatPort(port)}`);
      const key = `${port.containerPort}/${port.protocol}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const relation = comparePorts(port, other.port);
        if (relation !== undefined) warnings.push(`${at}: ${relation} port definition with ${other.at}`);
      }
      known.set(key, [...others, { at, port }]);
      if (!port.name) continue;
      const first = names.get(port.name);
      if (first === undefined) names.set(port.name, at);
      else {
        nameWarnings.push(
          `${at}: duplicate port name ${quote(port.name)} with ${first}, services and probes that select ports by name will use ${first}`,
        );
      }
    }
  }
  return [...warnings, ...nameWarnings];
}

/** The port as Go prints the struct. */
function formatPort({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: DeepReadonly<ContainerPort>): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol ?? ''} HostIP:${hostIP}}`;
}

function comparePorts(a: DeepReadonly<ContainerPort>, b: DeepReadonly<ContainerPort>): string | undefined {
  const [hostA, hostB] = [a.hostPort ?? 0, b.hostPort ?? 0];
  const [ipA, ipB] = [a.hostIP ?? '', b.hostIP ?? ''];
  if (ipA === ipB && hostA === hostB) return 'duplicate';
  if (hostA === 0 || hostB === 0) return 'overlapping';
  return hostA === hostB && (ipA === '') !== (ipB === '') ? 'dangerously ambiguous' : undefined;
}

function affinityWarnings({ affinity }: DeepReadonly<PodSpec>, path: FieldPath): string[] {
  const message = 'a null labelSelector results in matching no pod';
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => {
    const {
      requiredDuringSchedulingIgnoredDuringExecution: required = [],
      preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
    } = affinity?.[kind] ?? {};
    const at = path.child('affinity', kind);
    return [
      ...required.flatMap((term, index) =>
        term.labelSelector
          ? []
          : [`${at.child('requiredDuringSchedulingIgnoredDuringExecution').index(index).child('labelSelector')}: ${message}`],
      ),
      ...preferred.flatMap(({ podAffinityTerm }, index) => {
        const termPath = at.child('preferredDuringSchedulingIgnoredDuringExecution').index(index).child('podAffinityTerm', 'labelSelector');
        return podAffinityTerm.labelSelector ? [] : [`${termPath}: ${message}`];
      }),
    ];
  });
}

function addressWarnings(spec: DeepReadonly<PodSpec>, path: FieldPath): string[] {
  const nameservers = path.child('dnsConfig', 'nameservers');
  return [
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((address, index) => ipWarnings(nameservers.index(index), address)),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, index) => ipWarnings(path.child('hostAliases').index(index).child('ip'), ip)),
  ];
}
