import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { parseIP } from '../../../../base/ip-address.ts';
import { validateEach } from '../../../../resource/field-rules.ts';
import { isRestartableInitContainer } from '../../../../semantics/pods/pod-containers.ts';
import type { ContainerStatus, Pod, PodSpec } from '../../../../types/core-v1.ts';
import { duplicate, type FieldError, forbidden, internal, invalid } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateImmutable } from '../../../../validation/immutable.ts';
import { validateIP } from '../../../../validation/ip-addresses.ts';
import { validateAnnotationUpdate } from './pod-update.ts';
import { validateDNSSubdomain, validateQualifiedName } from '../pod-spec/names.ts';

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);

/** Validates the status of a Pod as the kubelet and controllers report it. */
export function validatePodStatusUpdate(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const status = pod.status ?? {};
  const oldStatus = old.status ?? {};
  const at = path.child('status');
  const errors = [
    ...validateAnnotationUpdate(pod, old, path),
    ...validateEach(status.conditions, at.child('conditions'), ({ type, observedGeneration = 0 }, conditionPath) => [
      ...(observedGeneration < 0
        ? [invalid(conditionPath.child('observedGeneration'), observedGeneration, 'must be a non-negative integer')]
        : []),
      ...(systemConditions.has(type) ? [] : validateQualifiedName(conditionPath.child('Type'), type)),
    ]),
    ...validateNominatedNode(pod, old, at.child('nominatedNodeName')),
  ];
  if ((pod.spec?.nodeName ?? '') !== (old.spec?.nodeName ?? ''))
    errors.push(forbidden(at.child('nodeName'), 'may not be changed directly'));
  if ((status.observedGeneration ?? 0) < 0) {
    errors.push(invalid(at.child('observedGeneration'), status.observedGeneration, 'must be a non-negative integer'));
  }
  errors.push(...validateImmutable(at.child('qosClass'), status.qosClass ?? '', oldStatus.qosClass ?? ''));
  const spec = old.spec ?? { containers: [] };
  const sidecars = new Set((spec.initContainers ?? []).filter(isRestartableInitContainer).map(({ name }) => name));
  errors.push(
    ...validateTransitions(status.containerStatuses, oldStatus.containerStatuses, at.child('containerStatuses'), (exited) =>
      mayRestart(spec, exited.name, exited.state?.terminated?.exitCode ?? 0),
    ),
    ...validateTransitions(
      status.initContainerStatuses,
      oldStatus.initContainerStatuses,
      at.child('initContainerStatuses'),
      (exited) => sidecars.has(exited.name) || mayRestart(spec, exited.name, exited.state?.terminated?.exitCode ?? 0),
    ),
    ...validateTransitions(
      status.ephemeralContainerStatuses,
      oldStatus.ephemeralContainerStatuses,
      at.child('ephemeralContainerStatuses'),
      () => false,
    ),
    ...validateClaimStatuses(pod, at.child('resourceClaimStatuses')),
    ...validateAddresses(status.podIPs, oldStatus.podIPs, at.child('podIPs')),
  );
  const { hostIPs, hostIP = '' } = status;
  const firstHostIP = hostIPs?.[0]?.ip;
  if (firstHostIP !== undefined && firstHostIP !== hostIP) {
    errors.push(invalid(at.child('hostIPs').index(0).child('ip'), firstHostIP, 'must be equal to `hostIP`'));
  }
  return [...errors, ...validateAddresses(hostIPs, oldStatus.hostIPs, at.child('hostIPs'))];
}

function validateNominatedNode(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const name = pod.status?.nominatedNodeName ?? '';
  if (name === '' || name === old.status?.nominatedNodeName) return [];
  const errors = validateDNSSubdomain(path, name);
  if (old.spec?.nodeName) errors.push(forbidden(path, 'may not be set on pods that are already bound to a node'));
  return errors;
}

/** Whether a container that has exited may be restarted, by its own policy and rules or else by the Pod's. */
function mayRestart(spec: DeepReadonly<PodSpec>, name: string, exitCode: number): boolean {
  const container = [...spec.containers, ...(spec.initContainers ?? [])].find((candidate) => candidate.name === name);
  for (const { exitCodes } of container?.restartPolicyRules ?? []) {
    const listed = exitCodes?.values?.includes(exitCode) ?? false;
    if (exitCodes && (exitCodes.operator === 'In') === listed) return true;
  }
  const policy = container?.restartPolicy ?? spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** Validates that a terminated container does not come back unless it may restart. */
function validateTransitions(
  statuses: readonly DeepReadonly<ContainerStatus>[] | undefined,
  old: readonly DeepReadonly<ContainerStatus>[] | undefined,
  path: FieldPath,
  mayRun: (exited: DeepReadonly<ContainerStatus>) => boolean,
): FieldError[] {
  const present = new Map((statuses ?? []).toReversed().map((status) => [status.name, status]));
  return validateEach(old, path, (exited, at) => {
    if (!exited.state?.terminated || mayRun(exited)) return [];
    const now = present.get(exited.name);
    return now && !now.state?.terminated ? [forbidden(at.child('state'), 'may not be transitioned to non-terminated state')] : [];
  });
}

function validateClaimStatuses({ spec, status }: DeepReadonly<Pod>, path: FieldPath): FieldError[] {
  const claims = new Set((spec?.resourceClaims ?? []).map(({ name }) => name));
  const names = new Set<string>();
  return validateEach(status?.resourceClaimStatuses, path, ({ name, resourceClaimName }, at) => {
    const errors: FieldError[] = [];
    if (!claims.has(name)) errors.push(invalid(at.child('name'), name, 'must match the name of an entry in `spec.resourceClaims`'));
    if (names.has(name)) errors.push(duplicate(at.child('name'), name));
    names.add(name);
    return resourceClaimName === undefined ? errors : [...errors, ...validateDNSSubdomain(at.child('name'), resourceClaimName)];
  });
}

type Addresses = readonly { readonly ip: string }[] | undefined;

/** Validates new addresses: each must be valid, with at most one of each IP family. */
function validateAddresses(addresses: Addresses, old: Addresses, path: FieldPath): FieldError[] {
  const known = new Set(old?.map(({ ip }) => ip));
  const errors = validateEach(addresses, path, ({ ip }, at) => (known.has(ip) ? [] : validateIP(at, ip)));
  if (addresses === undefined || addresses.length < 2) return errors;
  const versions = addresses.map(({ ip }) => parseIP(ip)?.version);
  const unknown = versions.indexOf(undefined);
  if (unknown >= 0) {
    const detail = `failed to check for dual stack with error:invalid IP[${unknown}]: ${addresses[unknown]?.ip}`;
    errors.push(internal(path, detail));
  }
  if (unknown >= 0 || addresses.length > new Set(versions).size) {
    errors.push(invalid(path, addresses, 'may specify no more than one IP for each IP family'));
  }
  return errors;
}
