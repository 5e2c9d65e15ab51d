import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, joinErrors, validateChoice, validateEach } from '../../../../resource/field-rules.ts';
import type { PodSpec } from '../../../../types/core-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { inclusiveRangeMessage } from '../../../../validation/formats.ts';
import { validateLabels } from '../../../../validation/labels.ts';
import { dns1123LabelProblems } from '../../../../validation/names.ts';
import { validateAffinity } from './affinity.ts';
import { validateContainerResources } from './container-resources.ts';
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts';
import { validateDNSConfig, validateHostAliases } from './dns.ts';
import { validateDNSLabel, validateDNSSubdomain, validateQualifiedName } from './names.ts';
import { validateOperatingSystem } from './operating-system.ts';
import type { PodSpecRules } from './pod-spec-rules.ts';
import { validatePodLevelResources } from './pod-level-resources.ts';
import { validateSchedulingGates, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validateHostUsers, validatePodSecurityContext } from './security-context.ts';
import { validateVolumes } from './volumes/volumes.ts';
import { validateWindowsHostProcess } from './windows-host-process.ts';

const maxInt32 = 2_147_483_647;

/** All rules of a Pod's spec, of a Pod itself or of a template. Expects defaults to be filled in. */
export function validatePodSpec(spec: DeepReadonly<PodSpec>, path: FieldPath, rules: PodSpecRules): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(path.child('terminationGracePeriodSeconds')));
  const volumes = validateVolumes(spec.volumes, path.child('volumes'), rules);
  const claimNames = new Set((spec.resourceClaims ?? []).map(({ name }) => name));
  const pod = { spec, volumes: volumes.byName, claimNames };
  return joinErrors(
    errors,
    volumes.errors,
    validateResourceClaims(spec, path.child('resourceClaims')),
    validateContainers(pod, path.child('containers')),
    validateInitContainers(pod, path.child('initContainers')),
    validateEphemeralContainers(pod, path.child('ephemeralContainers')),
    validatePodLevelResources(spec, path.child('resources')),
    validateHostNetworkPorts(spec, path, rules),
    validateChoice(path.child('restartPolicy'), spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    validateChoice(path.child('dnsPolicy'), spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']),
    validateLabels(spec.nodeSelector, path.child('nodeSelector')),
    validatePodSecurityContext(spec, path.child('securityContext')),
    validateAffinity(spec.affinity, path.child('affinity')),
    validateDNSConfig(spec, path.child('dnsConfig')),
    validateEach(spec.readinessGates, path.child('readinessGates'), ({ conditionType }, at) =>
      validateQualifiedName(at.child('conditionType'), conditionType),
    ),
    validateSchedulingGates(spec.schedulingGates, path.child('schedulingGates')),
    validateTopologySpread(spec.topologySpreadConstraints, path.child('topologySpreadConstraints')),
    validateWindowsHostProcess(spec, path),
    validateHostUsers(spec, path),
    validateHostnames(spec, path),
    validateNames(spec, path),
    validateTolerations(spec.tolerations, path.child('tolerations')),
    validateHostAliases(spec.hostAliases, path.child('hostAliases')),
    validateClasses(spec, path),
  );
}

function validateResourceClaims({ resourceClaims }: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return validateEach(resourceClaims, path, (claim, at) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(at.child('name')));
    else if (names.has(name)) errors.push(duplicate(at.child('name'), name));
    else errors.push(...invalidFor(at.child('name'), name, dns1123LabelProblems(name)));
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.push(invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    if (resourceClaimName !== undefined) errors.push(...validateDNSSubdomain(at.child('resourceClaimName'), resourceClaimName));
    if (resourceClaimTemplateName !== undefined) {
      errors.push(...validateDNSSubdomain(at.child('resourceClaimTemplateName'), resourceClaimTemplateName));
    }
    return errors;
  });
}

/** In the node's network a container's port is the node's port. */
function validateHostNetworkPorts(spec: DeepReadonly<PodSpec>, path: FieldPath, rules: PodSpecRules): FieldError[] {
  if (!spec.hostNetwork) return [];
  return validateEach(spec.containers, path.child('containers'), ({ ports }, container) =>
    validateEach(ports, container.child('ports'), ({ hostPort = 0, containerPort }, at) => {
      const matters = rules.isPod || hostPort !== 0;
      return matters && hostPort !== containerPort
        ? [invalid(at.child('hostPort'), hostPort, 'must match `containerPort` when `hostNetwork` is true')]
        : [];
    }),
  );
}

function validateHostnames(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const { hostnameOverride: override } = spec;
  if (override === undefined) return [];
  const at = path.child('hostnameOverride');
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN) errors.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork) errors.push(forbidden(at, 'may not be specified when hostNetwork is true'));
  if (override.length > 64) errors.push(tooLong(at, 64));
  return [...errors, ...validateDNSSubdomain(at, override)];
}

function validateNames(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const { activeDeadlineSeconds: deadline } = spec;
  const errors: FieldError[] = [];
  if (spec.serviceAccountName) errors.push(...validateDNSSubdomain(path.child('serviceAccountName'), spec.serviceAccountName));
  if (spec.nodeName) errors.push(...validateDNSSubdomain(path.child('nodeName'), spec.nodeName));
  if (deadline !== undefined && (deadline < 1 || deadline > maxInt32)) {
    errors.push(invalid(path.child('activeDeadlineSeconds'), deadline, inclusiveRangeMessage(1, maxInt32)));
  }
  if (spec.hostname) errors.push(...validateDNSLabel(path.child('hostname'), spec.hostname));
  if (spec.subdomain) errors.push(...validateDNSLabel(path.child('subdomain'), spec.subdomain));
  return errors;
}

function validateClasses(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.priorityClassName) errors.push(...validateDNSSubdomain(path.child('priorityClassName'), spec.priorityClassName));
  if (spec.runtimeClassName !== undefined) errors.push(...validateDNSSubdomain(path.child('runtimeClassName'), spec.runtimeClassName));
  if (spec.preemptionPolicy !== undefined) {
    errors.push(...validateChoice(path.child('preemptionPolicy'), spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']));
  }
  if (spec.overhead !== undefined) errors.push(...validateContainerResources({ limits: spec.overhead }, new Set(), path.child('overhead')));
  return [...errors, ...validateOperatingSystem(spec, path)];
}
