import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type { ContainerStatus, Pod, PodCondition } from '../../../api/types/core-v1.ts';
import type { PendingResize } from '../resources/allocation.ts';
import type { PodPhase } from './pod-phase.ts';

/** The progress of a change of the Pod's resources (KEP-1287). */
export interface ResizeProgress {
  /** The reason why the requested resources are not allocated. */
  readonly pending: PendingResize | undefined;
  /** Set while containers are changed to their allocated resources; with the problem, if there is one. */
  readonly progress: { readonly problem?: string } | undefined;
}

interface ConditionsInput {
  readonly pod: DeepReadonly<Pod>;
  readonly phase: PodPhase;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Whether the Pod has a sandbox with its network. */
  readonly hasSandbox: boolean;
  readonly resize: ResizeProgress;
  /** Why the node ends the Pod of itself. */
  readonly disruption?: string | undefined;
  /** `2006-01-02T15:04:05Z` */
  readonly now: string;
}

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;

/** The conditions that the node answers for. The time of a condition changes only with its status. */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const ready = containersReady(input);
  const verdicts: [string, Verdict][] = [
    ['PodReadyToStartContainers', { status: input.hasSandbox ? 'True' : 'False' }],
    ['Initialized', initialized(input)],
    ['Ready', ready.status === 'True' ? readinessGates(input.pod) : ready],
    ['ContainersReady', ready],
    ['PodScheduled', { status: 'True' }],
    ...resizeVerdicts(input.resize),
    ...disruptionVerdicts(input.disruption),
  ];
  return verdicts.map(([type, verdict]) => {
    const before = input.pod.status?.conditions?.find((condition) => condition.type === type);
    const hasChanged = before?.status !== verdict.status || !before.lastTransitionTime;
    return {
      type,
      ...verdict,
      lastTransitionTime: hasChanged ? input.now : (before?.lastTransitionTime ?? input.now),
      ...(input.pod.metadata.generation === undefined ? {} : { observedGeneration: input.pod.metadata.generation }),
    };
  });
}

function disruptionVerdicts(message: string | undefined): [string, Verdict][] {
  return message === undefined ? [] : [['DisruptionTarget', { status: 'True', reason: 'TerminationByKubelet', message }]];
}

function resizeVerdicts({ pending, progress }: ResizeProgress): [string, Verdict][] {
  const { problem } = progress ?? {};
  return [
    ...(pending ? ([['PodResizePending', { status: 'True', ...pending }]] as const) : []),
    ...(progress
      ? ([['PodResizeInProgress', { status: 'True', ...(problem === undefined ? {} : { reason: 'Error', message: problem }) }]] as const)
      : []),
  ].map(([type, verdict]) => [type, verdict]);
}

function initialized({ pod, phase, initStatuses, statuses }: ConditionsInput): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  if (statuses.some(({ state, lastState, started }) => started || state?.running || state?.terminated || lastState?.terminated))
    return { status: 'True' };
  const incomplete = (pod.spec?.initContainers ?? []).filter((container) => {
    const status = initStatuses.find(({ name }) => name === container.name);
    return isRestartableInitContainer(container) ? status?.started !== true : status?.ready !== true;
  });
  if (incomplete.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: ${names(incomplete)}` };
}

function containersReady({ pod, phase, initStatuses, statuses }: ConditionsInput): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const sidecars = (pod.spec?.initContainers ?? []).filter(isRestartableInitContainer);
  const all = [...initStatuses, ...statuses];
  const unready = [...sidecars, ...(pod.spec?.containers ?? [])].filter(({ name }) => !all.find((status) => status.name === name)?.ready);
  if (unready.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: ${names(unready)}` };
}

/** KEP-580: conditions that others set and that must hold besides the containers'. */
function readinessGates({ spec, status }: DeepReadonly<Pod>): Verdict {
  const problems: string[] = [];
  for (const { conditionType } of spec?.readinessGates ?? []) {
    const condition = status?.conditions?.find(({ type }) => type === conditionType);
    if (!condition) problems.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (condition.status !== 'True')
      problems.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`);
  }
  if (problems.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') };
}

function names(containers: readonly { readonly name: string }[]): string {
  return `[${containers.map(({ name }) => name).join(' ')}]`;
}
