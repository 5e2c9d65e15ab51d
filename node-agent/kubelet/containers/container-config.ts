import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { AppArmorProfile, Pod } from '../../../api/types/core-v1.ts';
import type { ContainerConfig, ContainerSecurityContext, DeviceConfig, MountConfig } from '../../cri/messages.ts';
import type { NodePaths } from '../../node-paths.ts';
import type { OOMGroupRules } from '../resources/oom-group.ts';
import type { SwapRules } from '../resources/swap.ts';
import { linuxResources } from '../resources/runtime-resources.ts';
import { runtimeAnnotations, runtimeLabels } from '../runtime/labels.ts';
import { mountMappings, userNamespaceOptions, type UserRange } from './user-namespaces.ts';
import { ContainerConfigError } from './config-error.ts';
import { containerHash } from './container-hash.ts';
import { expandVariables } from './expand-variables.ts';
import { namespaceOptions, podSupplementalGroups, seccompProfile, supplementalGroupsPolicy } from './sandbox-config.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

interface ContainerSurroundings {
  readonly paths: NodePaths;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly MountConfig[];
  readonly devices: readonly DeviceConfig[];
  readonly restartCount: number;
  readonly userRange?: UserRange | undefined;
  /** The image as the runtime knows it, and the user it runs as by itself: a number, a name or nothing (root). */
  readonly image: { readonly reference: string; readonly uid: number | undefined; readonly username: string };
  readonly swap: SwapRules & OOMGroupRules;
  /** Of containers that name no profile. */
  readonly defaultSeccomp: 'RuntimeDefault' | 'Unconfined';
  /** Container whose processes an ephemeral container sees. */
  readonly targetID?: string;
}

export const defaultTerminationMessagePath = '/dev/termination-log';

/** The runtime's description of one container. Throws ContainerConfigError if the Pod's own rules forbid it. */
export function containerConfig(pod: DeepReadonly<Pod>, container: AnyContainer, surroundings: ContainerSurroundings): ContainerConfig {
  const { environment, mounts, restartCount, image } = surroundings;
  const { metadata, spec } = pod;
  const expand = (text: string) => expandVariables(text, (name) => environment.get(name));
  verifyNonRoot(pod, container, image);
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: image.reference, user_specified_image: container.image ?? '' },
    command: (container.command ?? []).map(expand),
    args: (container.args ?? []).map(expand),
    working_dir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts: mounts.map((mount) => ({ ...mount, ...mountMappings(surroundings.userRange) })),
    devices: surroundings.devices,
    labels: {
      [runtimeLabels.containerName]: container.name,
      [runtimeLabels.podName]: metadata.name ?? '',
      [runtimeLabels.podNamespace]: metadata.namespace ?? '',
      [runtimeLabels.podUID]: metadata.uid ?? '',
    },
    annotations: {
      [runtimeAnnotations.hash]: containerHash(container),
      [runtimeAnnotations.restartCount]: String(restartCount),
      [runtimeAnnotations.terminationMessagePath]: container.terminationMessagePath ?? defaultTerminationMessagePath,
      [runtimeAnnotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      [runtimeAnnotations.gracePeriod]: String(spec?.terminationGracePeriodSeconds ?? 30),
    },
    log_path: `${container.name}/${restartCount}.log`,
    stdin: container.stdin ?? false,
    stdin_once: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: linuxResources(pod, container, surroundings.swap),
      security_context: securityContext(pod, container, surroundings),
    },
  };
}

/** Parts of /proc and /sys that containers do not see unless they are privileged or ask for an unmasked /proc. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

function securityContext(
  pod: DeepReadonly<Pod>,
  container: AnyContainer,
  { paths, targetID, userRange, defaultSeccomp }: ContainerSurroundings,
): ContainerSecurityContext {
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const runAsUser = own?.runAsUser ?? shared?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup;
  const privileged = own?.privileged ?? false;
  const isMasked = !privileged && own?.procMount !== 'Unmasked';
  const namespaces = { ...namespaceOptions(pod), ...userNamespaceOptions(userRange) };
  return {
    capabilities: { add_capabilities: own?.capabilities?.add ?? [], drop_capabilities: own?.capabilities?.drop ?? [] },
    privileged,
    namespace_options: targetID === undefined ? namespaces : { ...namespaces, pid: 'TARGET', target_id: targetID },
    ...(runAsUser === undefined ? {} : { run_as_user: { value: runAsUser } }),
    ...(runAsGroup === undefined ? {} : { run_as_group: { value: runAsGroup } }),
    readonly_rootfs: own?.readOnlyRootFilesystem ?? false,
    supplemental_groups: podSupplementalGroups(pod),
    ...supplementalGroupsPolicy(pod),
    no_new_privs: own?.allowPrivilegeEscalation === false,
    masked_paths: isMasked ? maskedPaths : [],
    readonly_paths: isMasked ? readonlyPaths : [],
    seccomp: privileged
      ? { profile_type: 'Unconfined' }
      : seccompProfile(own?.seccompProfile ?? shared?.seccompProfile, paths, defaultSeccomp),
    ...appArmorProfile(own?.appArmorProfile ?? shared?.appArmorProfile),
  };
}

/** Profiles of the machine are loaded by its administrator and known to the kernel by name. */
function appArmorProfile(source: DeepReadonly<AppArmorProfile> | undefined): Pick<ContainerSecurityContext, 'apparmor'> {
  if (source === undefined) return {};
  if (source.type === 'Localhost') return { apparmor: { profile_type: 'Localhost', localhost_ref: source.localhostProfile ?? '' } };
  return { apparmor: { profile_type: source.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' } };
}

function verifyNonRoot(pod: DeepReadonly<Pod>, container: AnyContainer, image: ContainerSurroundings['image']): void {
  const shared = pod.spec?.securityContext;
  if (!(container.securityContext?.runAsNonRoot ?? shared?.runAsNonRoot)) return;
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  const runAsUser = container.securityContext?.runAsUser ?? shared?.runAsUser;
  if (runAsUser === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  if (image.uid === undefined && image.username !== '') {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  }
  if ((image.uid ?? 0) === 0) throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}
