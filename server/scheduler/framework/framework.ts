import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { AllocationResult, ResourceClaim } from '../../../api/types/resource-v1.ts';
import type { NodeInfo } from '../cache/node-info.ts';
import type { ClusterState } from './cluster-state.ts';
import type { FitFailure } from './fit-error.ts';
import type { PluginStatus } from './plugin-status.ts';

/** Notes that plugins keep for later steps of one pod's scheduling cycle, by plugin name. */
export type CycleState = Map<string, unknown>;

/** An event in the cluster that may make waiting pods schedulable. */
export type ClusterEvent =
  | 'NodeAdd'
  | 'NodeUpdate'
  | 'NodeDelete'
  | 'PodAdd'
  | 'PodUpdate'
  | 'PodDelete'
  | 'PersistentVolumeClaimChange'
  | 'PersistentVolumeChange'
  | 'StorageClassChange'
  | 'CSIDriverChange'
  | 'CSINodeChange'
  | 'CSIStorageCapacityChange'
  | 'ResourceClaimChange'
  | 'ResourceSliceChange'
  | 'DeviceClassChange'
  | 'ForceActivate';

/** The extension points of upstream's scheduling framework, in the order in which a pod meets them. All pure. */
export interface SchedulerPlugin {
  /** Upstream's name: it shows in configuration, metrics and events. */
  readonly name: string;
  /** Weight of its scores; absent: 1. */
  readonly weight?: number;
  /** The events after which this plugin may accept a Pod that it refused. */
  readonly retryOn: readonly ClusterEvent[];
  /** Keeps a pod out of the active queue altogether. */
  preEnqueue?(pod: DeepReadonly<Pod>, cluster: Pick<ClusterState, 'findResourceClaim'>): PluginStatus | undefined;
  /** Once per cycle; may narrow the nodes that are looked at. */
  preFilter?(state: CycleState, pod: DeepReadonly<Pod>, cluster: ClusterState): PreFilterResult | undefined;
  /** Per node. undefined: fits. */
  filter?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo, cluster: ClusterState): PluginStatus | undefined;
  /** Once per cycle in which no node fits, before preemption is thought of. */
  postFilter?(pod: DeepReadonly<Pod>, failure: FitFailure, cluster: ClusterState): PostFilterResult | undefined;
  /** Once per cycle before scoring, with the nodes that fit. */
  preScore?(state: CycleState, pod: DeepReadonly<Pod>, nodes: readonly NodeInfo[], cluster: ClusterState): PluginStatus | undefined;
  /** Any number; normalized to 0..100 by `normalize`, or is that already. */
  score?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo, cluster: ClusterState): number;
  normalize?(state: CycleState, scores: Map<string, number>): void;
  /**
   * For the chosen node: what has to be written before the pod can be bound there; undefined: nothing. From now on the scheduler assumes
   * that it is written.
   */
  reserve?(pod: DeepReadonly<Pod>, node: NodeInfo, cluster: ClusterState): Reservation | undefined;
}

interface Change<T> {
  readonly before: DeepReadonly<T>;
  readonly after: T;
}

interface PostFilterResult {
  /** The result, for the report. */
  readonly message: string;
  /** A claim without consumers whose devices keep the pod from a node where it fits otherwise: it is to lose them. */
  readonly idle?: DeepReadonly<ResourceClaim>;
}

export type Reservation = VolumeReservation | DeviceReservation;

/** The pod is bound after all this is written and all its claims are bound. */
export interface VolumeReservation {
  readonly kind: 'volumes';
  readonly volumes: readonly Change<PersistentVolume>[];
  readonly claims: readonly Change<PersistentVolumeClaim>[];
}

/** The pod is bound after its claims have their devices and are reserved for it. */
export interface DeviceReservation {
  readonly kind: 'devices';
  readonly claims: readonly { readonly claim: DeepReadonly<ResourceClaim>; readonly allocation?: AllocationResult }[];
}

interface PreFilterResult {
  readonly status?: PluginStatus;
  /** The names of the only nodes that can fit the Pod. Absent: any may. */
  readonly nodeNames?: ReadonlySet<string>;
}

export const maxNodeScore = 100;

export function defineSchedulerPlugin(plugin: SchedulerPlugin): SchedulerPlugin {
  return plugin;
}

export const unschedulable = (...reasons: string[]): PluginStatus => ({ code: 'Unschedulable', reasons });
export const unresolvable = (...reasons: string[]): PluginStatus => ({ code: 'UnschedulableAndUnresolvable', reasons });
export const skip: PluginStatus = { code: 'Skip', reasons: [] };

/** Scales scores so that the highest becomes 100; `reverse` makes the lowest the best. Upstream's DefaultNormalizeScore. */
export function normalizeToHighest(scores: Map<string, number>, reverse = false): void {
  const highest = Math.max(0, ...scores.values());
  for (const [node, score] of scores) {
    const scaled = highest === 0 ? (reverse ? maxNodeScore : 0) : Math.floor((maxNodeScore * score) / highest);
    scores.set(node, highest !== 0 && reverse ? maxNodeScore - scaled : scaled);
  }
}
