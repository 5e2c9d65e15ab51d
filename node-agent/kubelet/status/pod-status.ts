import { formatTime } from '../../../api/meta/time.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { formatResourceList } from '../../../api/semantics/pods/resource-list.ts';
import type { Pod, PodStatus } from '../../../api/types/core-v1.ts';
import { isPodFinished } from '../../../api/semantics/pods/pod-phase.ts';
import { podQOSClass } from '../../../api/semantics/pods/qos-class.ts';
import { activeSandbox, isRunning } from '../runtime/runtime-pod.ts';
import { type ContainerStatusInput, containerStatuses } from './container-statuses.ts';
import { podConditions, type ResizeProgress } from './pod-conditions.ts';
import { podPhase } from './pod-phase.ts';
import { failedInitContainer } from '../containers/restart-rules.ts';

export interface PodStatusInput extends ContainerStatusInput {
  readonly nowMs: number;
  readonly hostIPs: readonly string[];
  /** The Pod's addresses, kept also after its sandbox is gone. */
  readonly podIPs: readonly string[];
  readonly startMs: number;
  /** Whether all containers have ended and will not be restarted. */
  readonly isFinished: boolean;
  /** Drivers have prepared devices for the Pod. Absent: none. */
  readonly holdsDevices?: boolean;
  readonly resize: ResizeProgress;
  /** Why the node ends the Pod of itself. */
  readonly disruption: string | undefined;
  /** The node will not run the Pod. */
  readonly refusal: { readonly reason: string; readonly message: string } | undefined;
}

/** The status of a Pod as the node sees it, from the runtime's state and from what the Pod waits for. */
export function computePodStatus(input: PodStatusInput): PodStatus {
  const { pod, runtimePod, refusal, hostIPs, podIPs } = input;
  const isOver = refusal !== undefined || isPodFinished(pod);
  const initStatuses = containerStatuses(input, 'init');
  const statuses = containerStatuses({ ...input, isOver }, 'main');
  const ephemeral = containerStatuses(input, 'ephemeral');
  // A Pod that the node has refused before anything of it was made has none, also at the next start of the agent.
  const hasNone = isOver && runtimePod.containers.length === 0 && (pod.status?.containerStatuses ?? []).length === 0;
  const initFailed = failedInitContainer(pod, runtimePod) !== undefined;
  const recorded = pod.status?.phase;
  let phase = podPhase({ pod, initStatuses, statuses, isFinished: input.isFinished, initFailed });
  if (refusal) phase = 'Failed';
  else if (recorded === 'Failed' || recorded === 'Succeeded') phase = recorded; // a phase that is final never changes
  // Controllers act on a final phase, so it is reported only when nothing runs any more, sidecars included, and when its devices can be
  // given to others.
  if ((phase === 'Failed' || phase === 'Succeeded') && (runtimePod.containers.some(isRunning) || input.holdsDevices))
    phase = recorded === 'Running' ? 'Running' : 'Pending';
  const hasSandbox = activeSandbox(runtimePod) !== undefined;
  const conditions = podConditions({
    pod,
    phase,
    initStatuses,
    statuses,
    hasSandbox,
    resize: input.resize,
    disruption: input.disruption,
    now: formatTime(input.nowMs),
  });
  const { generation } = pod.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions,
    ...(refusal && phase !== 'Failed' ? {} : reasonOf(input, recorded === 'Failed' || recorded === 'Succeeded')),
    hostIP: hostIPs[0] ?? '',
    hostIPs: hostIPs.map((ip) => ({ ip })),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: pod.status?.startTime ?? formatTime(input.startMs),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    ...(hasNone ? {} : { containerStatuses: statuses }),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: podQOSClass(pod),
    ...wholeResources(pod),
  };
}

/** Resources that the node has given to the Pod as a whole, where that is asked for (KEP-5419). */
function wholeResources({ status: _status, ...pod }: DeepReadonly<Pod>): Pick<PodStatus, 'resources' | 'allocatedResources'> {
  const { requests, limits } = pod.spec?.resources ?? {};
  if (!requests && !limits) return {};
  return {
    allocatedResources: formatResourceList(podRequests(pod, { withoutOverhead: true })),
    resources: { ...(limits ? { limits: { ...limits } } : {}), ...(requests ? { requests: { ...requests } } : {}) },
  };
}

/** The reason why the Pod failed as a whole, reported together with the phase. A final phase keeps its reason, whoever wrote it. */
function reasonOf({ pod, refusal }: PodStatusInput, isFinal: boolean): Pick<PodStatus, 'reason' | 'message'> {
  if (refusal) return { reason: refusal.reason, message: refusal.message };
  const { reason, message } = isFinal ? (pod.status ?? {}) : {};
  return { ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}
