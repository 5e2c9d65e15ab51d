import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ContainerEvents } from '../containers/container-events.ts';
import type { PodProbes } from '../probes/pod-probes.ts';
import type { RuntimePod } from '../runtime/runtime-pod.ts';
import type { PodRecord } from './pod-record.ts';
import type { PodServices } from './pod-services.ts';

export type PodStateName = 'admitting' | 'preparing' | 'sandboxing' | 'running' | 'terminating' | 'terminated' | 'removing' | 'removed';

/** The result of one step: the next state, and when to run it if nothing happens before. */
export interface PodStep {
  readonly to: PodStateName;
  /** 0: at once; absent: only when something happens. */
  readonly againAfterMs?: number;
  /** Whether the step has not changed the runtime: the state read for this step is then valid for a next one that follows at once. */
  readonly leavesRuntime?: boolean;
  /** Containers were ended that the next step starts again: no status is published in between, as a kubelet publishes none. */
  readonly isRestarting?: boolean;
}

/** All that a step may look at and act with. The runtime's truth is fresh. */
export interface PodContext {
  readonly pod: DeepReadonly<Pod>;
  readonly runtimePod: RuntimePod;
  readonly record: PodRecord;
  readonly services: PodServices;
  readonly probes: PodProbes;
  readonly events: (container?: string) => ContainerEvents;
  /** Aborted when the Pod has to stop or the agent does: waiting for anything else is over. */
  readonly signal: AbortSignal;
  /** Makes the worker look again. */
  readonly wake: () => void;
}

/** Takes one step: makes at most one change, and returns how to continue. May be repeated at any time. */
export type PodState = (context: PodContext) => Promise<PodStep>;
