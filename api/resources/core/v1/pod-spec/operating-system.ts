import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { Container, EphemeralContainer, PodSpec } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateChoice } from '../../../../resource/field-rules.ts';

/** Fields of a Pod that Windows has nothing for; those of the security context come with its name. */
const notOnWindows = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;
const notOnWindowsInContext = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const notOnWindowsInContainer = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** Validates a Pod that names its operating system: fields of other systems are refused (KEP-2802). */
export function validateOperatingSystem(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  if (spec.os === undefined) return [];
  const at = path.child('os');
  const { name } = spec.os;
  if (!name) return [required(at.child('name'), 'cannot be empty')];
  const errors = validateChoice(at, name, ['linux', 'windows']);
  if (name === 'linux') return [...errors, ...validateLinux(spec, path)];
  return name === 'windows' ? [...errors, ...validateWindows(spec, path)] : errors;
}

function contextsOf(spec: DeepReadonly<PodSpec>, path: FieldPath) {
  const containers = (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container: DeepReadonly<Container | EphemeralContainer>, index) => ({
      context: container.securityContext,
      at: path.child(field).index(index).child('securityContext'),
    })),
  );
  return containers;
}

function validateLinux(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const contexts = [{ context: spec.securityContext, at: path.child('securityContext') }, ...contextsOf(spec, path)];
  return contexts
    .filter(({ context }) => context?.windowsOptions !== undefined)
    .map(({ at }) => forbidden(at.child('windowsOptions'), 'windows options cannot be set for a linux pod'));
}

function validateWindows(spec: DeepReadonly<PodSpec>, path: FieldPath): FieldError[] {
  const refuse = (object: object | undefined, fields: readonly string[], at: FieldPath) =>
    fields
      .filter((field) => isSet(object === undefined ? undefined : (Reflect.get(object, field) as unknown)))
      .map((field) => forbidden(at.child(field), 'cannot be set for a windows pod'));
  return [
    ...refuse(spec, notOnWindows, path),
    ...refuse(spec.securityContext, notOnWindowsInContext, path.child('securityContext')),
    ...contextsOf(spec, path).flatMap(({ context, at }) => refuse(context, notOnWindowsInContainer, at)),
  ];
}

function isSet(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
}
