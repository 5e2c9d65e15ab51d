import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { deploymentBounds } from '../../../api/semantics/workloads/deployment-status.ts';
import type { Deployment, ReplicaSet } from '../../../api/types/apps-v1.ts';
import { annotationKeys, byCreation, findCount, type Sets, sizeOf, totalSize } from './revisions.ts';

export interface ScaleStep {
  readonly set: DeepReadonly<ReplicaSet>;
  readonly replicas: number;
}

type ReadonlyDeployment = DeepReadonly<Deployment>;

const desiredOf = (deployment: ReadonlyDeployment) => deployment.spec?.replicas ?? 1;
const availableOf = (set: DeepReadonly<ReplicaSet>) => set.status?.availableReplicas ?? 0;
const isActive = (set: DeepReadonly<ReplicaSet>) => sizeOf(set) > 0;

/** The most Pods that may exist. The annotations desired-replicas and max-replicas of a ReplicaSet are compared with this. */
export function maxReplicas(deployment: ReadonlyDeployment): number {
  return desiredOf(deployment) + deploymentBounds(deployment).surge;
}

/** The size to which the new ReplicaSet may grow while old Pods still take up room. */
export function newSetSize(deployment: ReadonlyDeployment, all: Sets, newSize: number): number {
  const desired = desiredOf(deployment);
  if (deployment.spec?.strategy?.type === 'Recreate') return desired;
  const room = maxReplicas(deployment) - totalSize(all);
  if (room <= 0) return newSize;
  return newSize + Math.min(room, desired - newSize);
}

/** The next step of a rolling update for the new ReplicaSet, if any. */
export function planRollingNew(deployment: ReadonlyDeployment, newSet: DeepReadonly<ReplicaSet>, old: Sets): ScaleStep | undefined {
  const size = sizeOf(newSet);
  const desired = desiredOf(deployment);
  const replicas = size > desired ? desired : size < desired ? newSetSize(deployment, [...old, newSet], size) : size;
  return replicas === size ? undefined : { set: newSet, replicas };
}

/**
 * The next step of a rolling update for old ReplicaSets: first the Pods that are not available anyhow, then as many as leave the minimum
 * available. Sizes in later steps build on those of earlier ones.
 */
export function planRollingOld(deployment: ReadonlyDeployment, newSet: DeepReadonly<ReplicaSet>, old: Sets): ScaleStep[] {
  const desired = desiredOf(deployment);
  const minAvailable = desired - deploymentBounds(deployment).unavailable;
  const newUnavailable = sizeOf(newSet) - availableOf(newSet);
  const maxDown = totalSize([...old, newSet]) - minAvailable - newUnavailable;
  const oldest = old.filter(isActive).sort(byCreation);
  if (oldest.length === 0 || maxDown <= 0) return [];

  const sizes = new Map(oldest.map((set) => [set, sizeOf(set)]));
  const steps: ScaleStep[] = [];
  const shrink = (set: DeepReadonly<ReplicaSet>, by: number) => {
    const replicas = (sizes.get(set) ?? 0) - by;
    sizes.set(set, replicas);
    steps.push({ set, replicas });
  };
  let cleaned = 0;
  for (const set of oldest) {
    const by = Math.min(maxDown - cleaned, sizeOf(set) - availableOf(set));
    if (by <= 0) continue;
    shrink(set, by);
    cleaned += by;
  }
  let surplus = [...old, newSet].reduce((total, set) => total + availableOf(set), 0) - minAvailable;
  for (const set of oldest) {
    const by = Math.min(sizes.get(set) ?? 0, surplus);
    if (by <= 0) continue;
    shrink(set, by);
    surplus -= by;
  }
  return steps;
}

/**
 * The result of a change of `spec.replicas` that is not a step of a rollout: a single active ReplicaSet takes all of it; during a rollout
 * it is divided in proportion to the sizes, and the largest takes the remainder of rounding.
 */
export function planScale(deployment: ReadonlyDeployment, newSet: DeepReadonly<ReplicaSet> | undefined, old: Sets): ScaleStep[] {
  const desired = desiredOf(deployment);
  const all = newSet === undefined ? [...old] : [...old, newSet];
  const active = all.filter(isActive);
  const only = active.length === 0 ? (newSet ?? [...old].sort(byCreation).at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) return sizeOf(only) === desired ? [] : [{ set: only, replicas: desired }];
  if (isSaturated(deployment, newSet)) return old.filter(isActive).map((set) => ({ set, replicas: 0 }));
  if (active.length === 0 || deployment.spec?.strategy?.type === 'Recreate') return [];
  return planProportional(deployment, active);
}

/** Whether the new ReplicaSet alone is all that is asked for. */
function isSaturated(deployment: ReadonlyDeployment, newSet: DeepReadonly<ReplicaSet> | undefined): boolean {
  if (newSet === undefined) return false;
  const desired = desiredOf(deployment);
  return findCount(newSet, annotationKeys.desiredReplicas) === desired && sizeOf(newSet) === desired && availableOf(newSet) === desired;
}

function planProportional(deployment: ReadonlyDeployment, active: Sets): ScaleStep[] {
  const desired = desiredOf(deployment);
  const allowed = desired > 0 ? maxReplicas(deployment) : 0;
  const toAdd = allowed - totalSize(active);
  // The newest of equal size gains first; the oldest of equal size loses first.
  const order = (a: DeepReadonly<ReplicaSet>, b: DeepReadonly<ReplicaSet>) =>
    sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b));
  const sorted = [...active].sort(order);
  let added = 0;
  const steps = sorted.map((set) => {
    const share = proportion(deployment, set, toAdd, added);
    added += share;
    return { set, replicas: sizeOf(set) + share };
  });
  const [largest] = steps;
  if (largest === undefined || toAdd === 0) return steps;
  return steps.with(0, { set: largest.set, replicas: Math.max(0, largest.replicas + toAdd - added) });
}

function proportion(deployment: ReadonlyDeployment, set: DeepReadonly<ReplicaSet>, toAdd: number, added: number): number {
  const size = sizeOf(set);
  if (size === 0 || toAdd === 0 || toAdd === added) return 0;
  const share = fraction(deployment, set, size);
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
}

/** By how much the ReplicaSet would change if it kept its part of the whole. */
function fraction(deployment: ReadonlyDeployment, set: DeepReadonly<ReplicaSet>, size: number): number {
  if (desiredOf(deployment) === 0) return -size;
  const before = findCount(set, annotationKeys.maxReplicas) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((size * maxReplicas(deployment)) / before) - size;
}
