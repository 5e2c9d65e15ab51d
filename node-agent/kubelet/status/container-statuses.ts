import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type AnyContainer, isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from '../../../api/types/core-v1.ts';
import { presentResources } from '../resources/runtime-resources.ts';
import {
  containerIDOf,
  instancesOf,
  isRunning,
  nanosToMs,
  restartCountOf,
  type RuntimeContainer,
  type RuntimePod,
} from '../runtime/runtime-pod.ts';

export interface WaitingReason {
  readonly reason: string;
  readonly message?: string;
}

export interface ContainerStatusInput {
  readonly pod: DeepReadonly<Pod>;
  readonly runtimePod: RuntimePod;
  /** Why a container could not be started or has to wait, by name. */
  readonly waiting: ReadonlyMap<string, WaitingReason>;
  /** Last words of an ended container, by id. */
  readonly terminationMessage: (containerID: string) => string | undefined;
  readonly isStarted: (container: AnyContainer, containerID: string) => boolean;
  readonly isReady: (container: AnyContainer, containerID: string) => boolean;
  /** Whether the node starts no container of the Pod any more. */
  readonly isOver?: boolean;
}

type ContainerSort = 'init' | 'main' | 'ephemeral';

/** The statuses of the containers of one sort, in the order of the spec. */
export function containerStatuses(input: ContainerStatusInput, sort: ContainerSort): ContainerStatus[] {
  const { spec } = input.pod;
  const containers: readonly AnyContainer[] | undefined = {
    init: spec?.initContainers,
    main: spec?.containers,
    ephemeral: spec?.ephemeralContainers,
  }[sort];
  return (containers ?? []).map((container) => containerStatus(input, container, sort));
}

function containerStatus(input: ContainerStatusInput, container: AnyContainer, sort: ContainerSort): ContainerStatus {
  const [newest, previous] = instancesOf(input.runtimePod, container.name);
  const recorded = recordedStatus(input.pod, container.name, sort);
  if (!newest) return withoutInstance(input, container, sort, recorded);
  const waiting = isRunning(newest) ? undefined : input.waiting.get(container.name);
  const now = stateOf(input, newest);
  const before = previous ? stateOf(input, previous) : lastStateOf(recorded, containerIDOf(input.runtimePod, newest.id));
  const running = isRunning(newest);
  const started = running && input.isStarted(container, newest.id);
  const isReady =
    sort === 'init' && !isRestartableInitContainer(container as Container)
      ? newest.state === 'CONTAINER_EXITED' && newest.exit_code === 0
      : running && input.isReady(container, newest.id);
  return {
    name: container.name,
    state: waiting ? { waiting: { ...waiting } } : now,
    lastState: waiting ? now : before,
    ready: sort === 'ephemeral' ? false : isReady,
    restartCount: restartCountOf(newest),
    image: newest.image?.image || container.image || '',
    imageID: newest.image_ref,
    containerID: containerIDOf(input.runtimePod, newest.id),
    ...(sort === 'ephemeral' ? {} : { started }),
    ...(isResizable(container, sort) ? resourcesOf(input.pod, container, newest) : {}),
    ...userOf(newest),
    ...volumeMountsOf(container, newest.mounts),
  };
}

function withoutInstance(
  input: ContainerStatusInput,
  container: AnyContainer,
  sort: ContainerSort,
  recorded: DeepReadonly<ContainerStatus> | undefined,
): ContainerStatus {
  const isInitializing = sort !== 'ephemeral' && (input.pod.spec?.initContainers ?? []).length > 0;
  const waiting = input.waiting.get(container.name) ?? { reason: isInitializing ? 'PodInitializing' : 'ContainerCreating' };
  // Completed work that has been cleaned up stays completed: init containers, and everything in a Pod that has ended.
  const phase = input.pod.status?.phase;
  const isDone = sort === 'init' || phase === 'Succeeded' || phase === 'Failed';
  if (isDone && recorded?.state?.terminated && !input.waiting.has(container.name)) return structuredClone(recorded) as ContainerStatus;
  const isLost = input.isOver === true && recorded !== undefined && isInitialized(input.pod);
  return {
    name: container.name,
    state: isLost ? { terminated: unknownEnd } : { waiting: { ...waiting } },
    lastState: lostState(recorded),
    ready: false,
    restartCount: recorded?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    ...(sort === 'ephemeral' ? {} : { started: false }),
    ...volumeMountsOf(container),
  };
}

function recordedStatus({ status }: DeepReadonly<Pod>, name: string, sort: ContainerSort): DeepReadonly<ContainerStatus> | undefined {
  const lists = { init: status?.initContainerStatuses, main: status?.containerStatuses, ephemeral: status?.ephemeralContainerStatuses };
  return lists[sort]?.find((candidate) => candidate.name === name);
}

/** The end of the instance before, where the runtime has forgotten it but the Pod's status has not. */
function lastStateOf(recorded: DeepReadonly<ContainerStatus> | undefined, newestID: string): ContainerState {
  const ended = recorded?.containerID === newestID ? recorded.lastState?.terminated : recorded?.state?.terminated;
  return ended ? { terminated: structuredClone(ended) } : {};
}

function stateOf(input: ContainerStatusInput, instance: RuntimeContainer): ContainerState {
  const containerID = containerIDOf(input.runtimePod, instance.id);
  const startedAt = instance.started_at === '0' ? null : formatTime(nanosToMs(instance.started_at));
  switch (instance.state) {
    case 'CONTAINER_RUNNING':
      return { running: { startedAt } };
    case 'CONTAINER_CREATED':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'CONTAINER_EXITED': {
      const message = input.terminationMessage(instance.id) || instance.message;
      return {
        terminated: {
          exitCode: instance.exit_code,
          reason: instance.reason || (instance.exit_code === 0 ? 'Completed' : 'Error'),
          ...(message ? { message } : {}),
          startedAt,
          finishedAt: instance.finished_at === '0' ? null : formatTime(nanosToMs(instance.finished_at)),
          containerID,
        },
      };
    }
    default:
      return { terminated: { ...unknownEnd, containerID } };
  }
}

/** The end of a container of which the runtime cannot say how it was. */
const unknownEnd = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
  startedAt: null,
  finishedAt: null,
};

/** Whether the main containers of a Pod had their turn. */
function isInitialized({ spec, status }: DeepReadonly<Pod>): boolean {
  const hasInitialized = status?.conditions?.some((condition) => condition.type === 'Initialized' && condition.status === 'True');
  return (spec?.initContainers ?? []).length === 0 || hasInitialized === true;
}

/** The resources of other containers are never reported. */
function isResizable(container: AnyContainer, sort: ContainerSort): boolean {
  return sort === 'main' || (sort === 'init' && isRestartableInitContainer(container as Container));
}

/** The allocated resources of the container, and its actual ones; for a container that does not run, the allocated ones. */
function resourcesOf(
  pod: DeepReadonly<Pod>,
  container: AnyContainer,
  instance: RuntimeContainer,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const { requests, limits: given } = container.resources ?? {};
  if (!isRunning(instance))
    return { resources: { ...(given ? { limits: { ...given } } : {}), ...(requests ? { requests: { ...requests } } : {}) } };
  const { limits, requests: present } = presentResources(pod, container, instance.resources?.linux ?? undefined);
  return {
    ...(requests ? { allocatedResources: { ...requests } } : {}),
    resources: { ...(limits ? { limits: { ...limits } } : {}), ...(present ? { requests: { ...present } } : {}) },
  };
}

function userOf({ user }: RuntimeContainer): Pick<ContainerStatus, 'user'> {
  if (!user?.linux) return {};
  const { uid, gid, supplemental_groups } = user.linux;
  return { user: { linux: { uid: Number(uid), gid: Number(gid), supplementalGroups: supplemental_groups.map(Number) } } };
}

function volumeMountsOf({ volumeMounts }: AnyContainer, mounts: RuntimeContainer['mounts'] = []): Pick<ContainerStatus, 'volumeMounts'> {
  if (!volumeMounts || volumeMounts.length === 0) return {};
  const isRecursive = (path: string) => mounts.some((mount) => mount.container_path === path && mount.recursive_read_only);
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly ? { readOnly, recursiveReadOnly: isRecursive(mountPath) ? 'Enabled' : 'Disabled' } : {}),
    })),
  };
}

/** How a container ended that the runtime has lost altogether. */
function lostState(recorded: DeepReadonly<ContainerStatus> | undefined): ContainerState {
  const { state, lastState, containerID } = recorded ?? {};
  if (state?.terminated) return { terminated: structuredClone(state.terminated) };
  if (!state?.running) return (structuredClone(lastState) as ContainerState | undefined) ?? {};
  const message = 'The container could not be located when the pod was deleted.  The container used to be Running';
  const reason = 'ContainerStatusUnknown';
  return { terminated: { exitCode: 137, reason, message, startedAt: null, finishedAt: null, ...(containerID ? { containerID } : {}) } };
}
