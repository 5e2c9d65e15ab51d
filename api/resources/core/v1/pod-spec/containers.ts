import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, joinErrors, validateEach, validateRequired } from '../../../../resource/field-rules.ts';
import { isRestartableInitContainer } from '../../../../semantics/pods/pod-containers.ts';
import type { Container, ContainerPort, EphemeralContainer, PodSpec, Volume } from '../../../../types/core-v1.ts';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooLong,
} from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { portNameProblems, portNumberProblems } from '../../../../validation/formats.ts';
import { dns1123LabelProblems } from '../../../../validation/names.ts';
import { validateContainerResources, validateResizePolicy } from './container-resources.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { validateLifecycle, validateProbe } from './probes.ts';
import { usesHostUsers, validateSecurityContext } from './security-context.ts';
import { validateVolumeDevices, validateVolumeMounts } from './volumes/volume-mounts.ts';

/** The facts about a Pod that the rules of its containers need. */
interface ContainerSurroundings {
  readonly spec: DeepReadonly<PodSpec>;
  readonly volumes: ReadonlyMap<string, DeepReadonly<Volume>>;
  readonly claimNames: ReadonlySet<string>;
}

const protocols = ['SCTP', 'TCP', 'UDP'];

export function validateContainers(pod: ContainerSurroundings, path: FieldPath): FieldError[] {
  const containers = pod.spec.containers ?? [];
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  return [
    ...validateEach(containers, path, (container, at) => {
      const errors = validateCommon(container, pod, at);
      if (names.has(container.name)) errors.push(duplicate(at.child('name'), container.name));
      names.add(container.name);
      return [...errors, ...validateRunning(container, pod, at), ...validateRestartRules(container, at)];
    }),
    ...validateHostPorts(containers, path),
  ];
}

export function validateInitContainers(pod: ContainerSurroundings, path: FieldPath): FieldError[] {
  const names = new Set((pod.spec.containers ?? []).map(({ name }) => name));
  return validateEach(pod.spec.initContainers, path, (container, at) => {
    const errors = validateCommon(container, pod, at);
    const isSidecar = isRestartableInitContainer(container);
    if (isSidecar && (container.restartPolicyRules ?? []).length > 0) {
      const detail = 'restartPolicyRules are not allowed for init containers with restart policy Always';
      errors.push(forbidden(at.child('restartPolicyRules'), detail));
    } else if (!isSidecar && container.restartPolicy !== undefined) errors.push(...validateRestartRules(container, at));
    if (names.has(container.name)) errors.push(duplicate(at.child('name'), container.name));
    else if (container.name) names.add(container.name);
    // Init containers run one after another, so only ports within one container can collide.
    errors.push(...validateHostPorts([container], path));
    if (isSidecar) return [...errors, ...validateRunning(container, pod, at)];
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field] !== undefined) {
        errors.push(forbidden(at.child(field), 'may not be set for init containers without restartPolicy=Always'));
      }
    }
    return errors;
  });
}

/** Fields that ephemeral containers share with others but may not use, in the order in which errors name them. */
const notForEphemeral = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

export function validateEphemeralContainers(pod: ContainerSurroundings, path: FieldPath): FieldError[] {
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return validateEach(pod.spec.ephemeralContainers, path, (container, at) => {
    const errors = [...validateCommon(container, pod, at), ...validateImagePadding(container, at)];
    if (names.has(container.name)) errors.push(duplicate(at.child('name'), container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.push(notFound(at.child('targetContainerName'), target));
    const refuse = (where: FieldPath) => errors.push(forbidden(where, 'cannot be set for an Ephemeral Container'));
    for (const field of notForEphemeral) {
      const value = container[field];
      if (value !== undefined && !(Array.isArray(value) && value.length === 0)) refuse(at.child(field));
    }
    if (Object.keys(container.resources ?? {}).length > 0) refuse(at.child('resources'));
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      if (mount.subPath) refuse(at.child('volumeMounts').index(index).child('subPath'));
      if (mount.subPathExpr) refuse(at.child('volumeMounts').index(index).child('subPathExpr'));
    }
    return errors;
  });
}

/** Templates may hold placeholders that a Pod may not. */
export function validateImagePadding({ image = '' }: { readonly image?: string }, path: FieldPath): FieldError[] {
  return image.trim() === image ? [] : [invalid(path.child('image'), image, 'must not have leading or trailing whitespace')];
}

function validateCommon(
  container: DeepReadonly<Container | EphemeralContainer>,
  pod: ContainerSurroundings,
  path: FieldPath,
): FieldError[] {
  const errors = validateRequired(path.child('name'), container.name, dns1123LabelProblems);
  if (!container.image) errors.push(required(path.child('image')));
  return joinErrors(
    errors,
    validateChoice(path.child('terminationMessagePolicy'), container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']),
    validatePorts(container.ports, path.child('ports')),
    validateEnv(container.env, path.child('env')),
    validateEnvFrom(container.envFrom, path.child('envFrom')),
    validateVolumeMounts(container, pod.volumes, path.child('volumeMounts')),
    validateVolumeDevices(container, pod.volumes, path.child('volumeDevices')),
    validateChoice(path.child('imagePullPolicy'), container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    validateContainerResources(container.resources, pod.claimNames, path.child('resources')),
    validateResizePolicy(container.resizePolicy, pod.spec.restartPolicy, path.child('resizePolicy')),
    validateSecurityContext(container.securityContext, usesHostUsers(pod.spec), path.child('securityContext')),
  );
}

/** Validates the fields that only long-running containers have. */
function validateRunning(container: DeepReadonly<Container>, { spec }: ContainerSurroundings, path: FieldPath): FieldError[] {
  // Negative grace is taken for the least there is.
  const { terminationGracePeriodSeconds: given } = spec;
  const graceSeconds = given !== undefined && given < 0 ? 1 : given;
  const probe = (role: 'livenessProbe' | 'readinessProbe' | 'startupProbe') =>
    container[role] ? validateProbe(container[role], role, graceSeconds, path.child(role)) : [];
  return joinErrors(
    container.lifecycle ? validateLifecycle(container.lifecycle, graceSeconds, path.child('lifecycle'), spec.os?.name) : [],
    probe('livenessProbe'),
    probe('readinessProbe'),
    probe('startupProbe'),
  );
}

/** Restart policy and rules of a single container (KEP-5307). */
function validateRestartRules({ restartPolicy, restartPolicyRules = [] }: DeepReadonly<Container>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const at = path.child('restartPolicyRules');
  if (restartPolicy !== undefined) {
    errors.push(...validateChoice(path.child('restartPolicy'), restartPolicy, ['Always', 'Never', 'OnFailure'], 'unsupported'));
  } else if (restartPolicyRules.length > 0) {
    errors.push(required(path.child('restartPolicy'), 'must specify restartPolicy when restart rules are used'));
  }
  if (restartPolicyRules.length > 20) errors.push(tooLong(at, 20));
  for (const [index, { action, exitCodes }] of restartPolicyRules.entries()) {
    const rule = at.index(index);
    if (action !== 'Restart' && action !== 'RestartAllContainers')
      errors.push(notSupported(rule.child('action'), action ?? '', ['Restart', 'RestartAllContainers']));
    if (exitCodes === undefined) errors.push(required(rule.child('exitCodes'), 'must be specified'));
    else {
      errors.push(...validateChoice(rule.child('exitCodes', 'operator'), exitCodes.operator, ['In', 'NotIn'], 'unsupported'));
      if ((exitCodes.values ?? []).length > 255) errors.push(tooLong(rule.child('exitCodes', 'values'), 255));
    }
  }
  return errors;
}

function validatePorts(ports: readonly DeepReadonly<ContainerPort>[] | undefined, path: FieldPath): FieldError[] {
  const names = new Set<string>();
  return validateEach(ports, path, ({ name, containerPort, hostPort = 0, protocol }, at) => {
    const errors: FieldError[] = [];
    if (name) {
      const problems = portNameProblems(name);
      errors.push(...invalidFor(at.child('name'), name, problems));
      if (problems.length === 0 && names.has(name)) errors.push(duplicate(at.child('name'), name));
      if (problems.length === 0) names.add(name);
    }
    if (!containerPort) errors.push(required(at.child('containerPort')));
    else errors.push(...invalidFor(at.child('containerPort'), containerPort, portNumberProblems(containerPort)));
    if (hostPort !== 0) errors.push(...invalidFor(at.child('hostPort'), hostPort, portNumberProblems(hostPort)));
    return [...errors, ...validateChoice(at.child('protocol'), protocol, protocols)];
  });
}

function validateHostPorts(containers: readonly DeepReadonly<Container>[], path: FieldPath): FieldError[] {
  const claimed = new Set<string>();
  return containers.flatMap(({ ports }, index) =>
    validateEach(ports, path.index(index).child('ports'), ({ protocol, hostIP = '', hostPort = 0 }, at) => {
      if (hostPort === 0) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (claimed.has(key)) return [duplicate(at.child('hostPort'), key)];
      claimed.add(key);
      return [];
    }),
  );
}
