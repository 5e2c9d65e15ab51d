import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach } from '../../../../resource/field-rules.ts';
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl } from '../../../../types/core-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { groupIDProblems, userIDProblems } from '../../../../validation/formats.ts';
import { validateDescendingPath } from './names.ts';

export function validateSecurityContext(
  context: DeepReadonly<SecurityContext> | undefined,
  hostUsers: boolean,
  path: FieldPath,
): FieldError[] {
  if (context === undefined) return [];
  const { runAsUser, runAsGroup, procMount, allowPrivilegeEscalation, privileged } = context;
  const errors: FieldError[] = [];
  if (runAsUser !== undefined) errors.push(...invalidFor(path.child('runAsUser'), runAsUser, userIDProblems(runAsUser)));
  if (runAsGroup !== undefined) errors.push(...invalidFor(path.child('runAsGroup'), runAsGroup, groupIDProblems(runAsGroup)));
  if (procMount !== undefined) {
    errors.push(...validateChoice(path.child('procMount'), procMount, ['Default', 'Unmasked'], 'unsupported'));
    if (hostUsers && procMount === 'Unmasked') {
      errors.push(invalid(path.child('procMount'), procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  errors.push(...validateSeccompProfile(context.seccompProfile, path.child('seccompProfile')));
  if (allowPrivilegeEscalation === false) {
    if (privileged === true) {
      errors.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
    }
  }
  return [...errors, ...validateAppArmorProfile(context.appArmorProfile, path.child('appArmorProfile'))];
}

export function validatePodSecurityContext(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const context = spec.securityContext;
  if (context === undefined) return [];
  const { fsGroup, runAsUser, runAsGroup } = context;
  const errors: FieldError[] = [];
  if (fsGroup !== undefined) errors.push(...invalidFor(path.child('fsGroup'), fsGroup, groupIDProblems(fsGroup)));
  if (runAsUser !== undefined) errors.push(...invalidFor(path.child('runAsUser'), runAsUser, userIDProblems(runAsUser)));
  if (runAsGroup !== undefined) errors.push(...invalidFor(path.child('runAsGroup'), runAsGroup, groupIDProblems(runAsGroup)));
  errors.push(
    ...validateEach(context.supplementalGroups, path.child('supplementalGroups'), (group, at) =>
      invalidFor(at, group, groupIDProblems(group)),
    ),
  );
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(invalid(path.child('shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  errors.push(...validateSysctls(context.sysctls, spec, path.child('sysctls')), ...validatePolicies(context, path));
  return errors;
}

function validatePolicies(context: DeepReadonly<PodSecurityContext>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (context.fsGroupChangePolicy !== undefined) {
    errors.push(
      ...validateChoice(path.child('fsGroupChangePolicy'), context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], 'unsupported'),
    );
  }
  errors.push(...validateSeccompProfile(context.seccompProfile, path.child('seccompProfile')));
  errors.push(...validateAppArmorProfile(context.appArmorProfile, path.child('appArmorProfile')));
  if (context.supplementalGroupsPolicy !== undefined) {
    errors.push(
      ...validateChoice(path.child('supplementalGroupsPolicy'), context.supplementalGroupsPolicy, ['Merge', 'Strict'], 'unsupported'),
    );
  }
  if (context.seLinuxChangePolicy !== undefined) {
    errors.push(
      ...validateChoice(path.child('seLinuxChangePolicy'), context.seLinuxChangePolicy, ['MountOption', 'Recursive'], 'unsupported'),
    );
  }
  return errors;
}

const sysctlPattern = /^(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?$/;
const sysctlFormat = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?';

function validateSysctls(sysctls: readonly DeepReadonly<Sysctl>[] | undefined, spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return validateEach(sysctls, path, ({ name }, at) => {
    const errors: FieldError[] = [];
    if (!name) errors.push(required(at.child('name')));
    else if (name.length > 253 || !sysctlPattern.test(name)) {
      errors.push(invalid(at.child('name'), name, `must have at most 253 characters and match regex ^${sysctlFormat}$`));
    } else if (seen.has(name)) errors.push(duplicate(at.child('name'), name));
    seen.add(name);
    const normalized = name.replaceAll('/', '.');
    if (spec.hostNetwork && normalized.startsWith('net.'))
      errors.push(invalid(at.child('name'), name, "may not be specified when 'hostNetwork' is true"));
    if (spec.hostIPC && (normalized.startsWith('fs.mqueue.') || /^kernel\.(?:shm|msg|sem)/.test(normalized))) {
      errors.push(invalid(at.child('name'), name, "may not be specified when 'hostIPC' is true"));
    }
    return errors;
  });
}

function validateSeccompProfile(profile: DeepReadonly<SeccompProfile> | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const errors = type
    ? validateChoice(path.child('type'), type, ['Localhost', 'RuntimeDefault', 'Unconfined'])
    : [required(path.child('type'), 'type is required when seccompProfile is set')];
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      errors.push(invalid(path.child('localhostProfile'), profile, 'can only be set when seccomp type is Localhost'));
  } else if (localhostProfile === undefined) {
    errors.push(required(path.child('localhostProfile'), 'must be set when seccomp type is Localhost'));
  } else errors.push(...validateDescendingPath(path.child('localhostProfile'), localhostProfile));
  return errors;
}

function validateAppArmorProfile(profile: DeepReadonly<AppArmorProfile> | undefined, path: FieldPath): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  if (!type) return [required(path.child('type'), 'type is required when appArmorProfile is set')];
  const errors = validateChoice(path.child('type'), type, ['Localhost', 'RuntimeDefault', 'Unconfined']);
  if (type === 'Localhost') {
    const name = localhostProfile?.trim() ?? '';
    if (name === '') errors.push(required(path.child('localhostProfile'), 'must be set when AppArmor type is Localhost'));
    else if (name !== localhostProfile)
      errors.push(invalid(path.child('localhostProfile'), localhostProfile, 'must not be padded with whitespace'));
  } else if (localhostProfile !== undefined) {
    errors.push(invalid(path.child('localhostProfile'), localhostProfile, 'can only be set when AppArmor type is Localhost'));
  }
  return errors;
}

/** Whether the Pod runs in the user namespace of its node, which is the default. */
export function usesHostUsers(spec: DeepReadonly<PodSpec>): boolean {
  return spec.hostUsers !== false;
}

/** Validates that a Pod with a user namespace does not share the node's other namespaces (KEP-127). */
export function validateHostUsers(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  if (usesHostUsers(spec)) return [];
  const errors: FieldError[] = [];
  const refuse = (at: FieldPath) => errors.push(forbidden(at, 'when `hostUsers` is false'));
  // The capitals are upstream's.
  if (spec.hostNetwork) refuse(path.child('hostNetwork'));
  if (spec.hostPID) refuse(path.child('HostPID'));
  if (spec.hostIPC) refuse(path.child('HostIPC'));
  for (const [index, { volumeDevices }] of (spec.containers ?? []).entries()) {
    if ((volumeDevices ?? []).length > 0) refuse(path.child('containers').index(index).child('volumeDevices'));
  }
  return errors;
}
