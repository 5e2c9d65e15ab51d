import type { WaitingReason } from '../status/container-statuses.ts';
import type { Allocation, PendingResize } from '../resources/allocation.ts';
import type { MountedVolumes } from '../volumes/pod-volumes.ts';

/** How a Pod is to be stopped. */
export interface Termination {
  readonly graceSeconds: number;
  readonly reason: 'deleted' | 'finished' | 'refused' | 'suspended';
}

/** The agent's memory of one Pod between steps. All of it can be lost: it can be read again from the runtime and the API. */
export interface PodRecord {
  readonly startMs: number;
  /** Why containers wait, by name. */
  readonly waiting: Map<string, WaitingReason>;
  /** When the start of a container may be tried again, milliseconds since the Unix epoch. */
  readonly retryAtMs: Map<string, number>;
  /** Last words of ended containers, by id. */
  readonly terminationMessages: Map<string, string>;
  readonly hasFailed: Map<string, number>;
  /** Ids of containers that were killed to be started again. */
  readonly restarting: Set<string>;
  podIPs: readonly string[];
  volumes: MountedVolumes | undefined;
  /** Whether sources of volumes have changed. */
  volumesAreStale: boolean;
  refusal: { readonly reason: string; readonly message: string } | undefined;
  isFinished: boolean;
  /** The reason why the node itself ends the Pod, for its condition DisruptionTarget. */
  disruption: string | undefined;
  termination: Termination | undefined;
  /** The Pod is gone from the API or marked for deletion: nothing of it shall stay. */
  isDeleted: boolean;
  /** The API has forgotten the Pod already. */
  isGone: boolean;
  /** Resources that the node has given to the containers; undefined before it was decided. */
  allocation: Allocation | undefined;
  /** The reason why the requested resources are not allocated. */
  pendingResize: PendingResize | undefined;
  /** Set while containers are changed to their allocated resources. */
  resizing: { readonly generation: number } | undefined;
  /** The reason why it was not possible. */
  resizeProblem: string | undefined;
  /** The stopping under way. */
  stopping: { readonly graceSeconds: number; readonly done: Promise<void> } | undefined;
  /** Ends the Pod's turn to start, if it has one. */
  endTurn: (() => void) | undefined;
}

export function createPodRecord(startMs: number): PodRecord {
  return {
    startMs,
    waiting: new Map(),
    retryAtMs: new Map(),
    terminationMessages: new Map(),
    hasFailed: new Map(),
    restarting: new Set(),
    podIPs: [],
    volumes: undefined,
    volumesAreStale: false,
    refusal: undefined,
    isFinished: false,
    disruption: undefined,
    termination: undefined,
    isDeleted: false,
    isGone: false,
    allocation: undefined,
    pendingResize: undefined,
    resizing: undefined,
    resizeProblem: undefined,
    stopping: undefined,
    endTurn: undefined,
  };
}

/** Ends the Pod's turn: it waits now for something that may take long, and others may start meanwhile. */
export function endTurn(record: PodRecord): void {
  record.endTurn?.();
  record.endTurn = undefined;
}

const firstRetryMs = 500;
const maxRetryMs = 30_000;

/** Delay before the next try of something that failed: 0.5 s doubling to 30 s. `succeeded` begins anew. */
export function retryDelay(record: PodRecord, what: string): number {
  const failures = record.hasFailed.get(what) ?? 0;
  record.hasFailed.set(what, failures + 1);
  return Math.min(firstRetryMs * 2 ** failures, maxRetryMs);
}
