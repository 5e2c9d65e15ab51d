import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { deploymentBounds } from '../../../api/semantics/workloads/deployment-status.ts';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../../api/types/apps-v1.ts';
import type { Sets } from './revisions.ts';

type ReadonlyDeployment = DeepReadonly<Deployment>;
type ReadonlySet = DeepReadonly<ReplicaSet>;
type Conditions = readonly DeepReadonly<DeploymentCondition>[];

/** With upstream's reasons, on which `kubectl rollout status` and others rely. */
export const progressReasons = {
  created: 'NewReplicaSetCreated',
  found: 'FoundNewReplicaSet',
  updated: 'ReplicaSetUpdated',
  available: 'NewReplicaSetAvailable',
  timedOut: 'ProgressDeadlineExceeded',
  createError: 'ReplicaSetCreateError',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const;

export function hasProgressDeadline({ spec }: ReadonlyDeployment): boolean {
  return spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2_147_483_647;
}

export function findConditionOf(conditions: Conditions | undefined, type: string): DeepReadonly<DeploymentCondition> | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function newCondition(type: string, status: string, reason: string, message: string, now: string): DeploymentCondition {
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now };
}

/** Puts the condition last. A condition with equal status and reason is left as it is, with its times and message. */
export function withDeploymentCondition(conditions: Conditions, condition: DeploymentCondition): Conditions {
  const present = findConditionOf(conditions, condition.type);
  if (present?.status === condition.status && present.reason === condition.reason) return conditions;
  const since = present?.status === condition.status ? present.lastTransitionTime : condition.lastTransitionTime;
  const updated = { ...condition, ...(since === undefined ? {} : { lastTransitionTime: since }) };
  return [...conditions.filter(({ type }) => type !== condition.type), updated];
}

/** The counts, and whether enough Pods are available. */
export function deploymentStatus(
  deployment: ReadonlyDeployment,
  all: Sets,
  newSet: ReadonlySet | undefined,
  now: string,
): DeploymentStatus {
  const sum = (count: (set: ReadonlySet) => number | undefined) => all.reduce((total, set) => total + (count(set) ?? 0), 0);
  const replicas = sum(({ status }) => status?.replicas);
  const availableReplicas = sum(({ status }) => status?.availableReplicas);
  const counts = {
    replicas,
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(({ status }) => status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, all.reduce((total, set) => total + (set.spec?.replicas ?? 1), 0) - availableReplicas),
  };
  const minAvailable = (deployment.spec?.replicas ?? 1) - deploymentBounds(deployment).unavailable;
  const available =
    availableReplicas >= minAvailable
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : newCondition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', now);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    terminatingReplicas: sum(({ status }) => status?.terminatingReplicas),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions: [...withDeploymentCondition(deployment.status?.conditions ?? [], available)],
  };
}

export function isComplete(deployment: ReadonlyDeployment, status: DeepReadonly<DeploymentStatus> | undefined): boolean {
  const desired = deployment.spec?.replicas ?? 1;
  return (
    (status?.updatedReplicas ?? 0) === desired &&
    (status?.replicas ?? 0) === desired &&
    (status?.availableReplicas ?? 0) === desired &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Whether Pods have come, become ready or gone since. */
function isProgressing({ status: old }: ReadonlyDeployment, status: DeploymentStatus): boolean {
  const count = (value: number | undefined) => value ?? 0;
  return (
    count(status.updatedReplicas) > count(old?.updatedReplicas) ||
    count(status.replicas) - count(status.updatedReplicas) < count(old?.replicas) - count(old?.updatedReplicas) ||
    count(status.readyReplicas) > count(old?.readyReplicas) ||
    count(status.availableReplicas) > count(old?.availableReplicas)
  );
}

function isTimedOut(deployment: ReadonlyDeployment, status: DeploymentStatus, nowMs: number): boolean {
  const progress = findConditionOf(status.conditions, 'Progressing');
  if (progress === undefined || progress.reason === progressReasons.available) return false;
  if (progress.reason === progressReasons.timedOut) return true;
  const updatedMs = findTime(progress.lastUpdateTime) ?? 0;
  return updatedMs + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

/** The status during a rollout: how it gets on, and whether Pods cannot be made. */
export function rolloutStatus(
  deployment: ReadonlyDeployment,
  all: Sets,
  newSet: ReadonlySet | undefined,
  at: { readonly now: string; readonly nowMs: number },
): DeploymentStatus {
  const status = deploymentStatus(deployment, all, newSet, at.now);
  const progress = findConditionOf(deployment.status?.conditions, 'Progressing');
  let conditions: Conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) conditions = conditions.filter(({ type }) => type !== 'Progressing');
  const isSettled = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && progress?.reason === progressReasons.available;
  if (hasProgressDeadline(deployment) && !isSettled) {
    const subject = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
    if (isComplete(deployment, status)) {
      const message = `${subject} has successfully progressed.`;
      conditions = withDeploymentCondition(conditions, newCondition('Progressing', 'True', progressReasons.available, message, at.now));
    } else if (isProgressing(deployment, status)) {
      const condition = newCondition('Progressing', 'True', progressReasons.updated, `${subject} is progressing.`, at.now);
      if (progress?.status === 'True' && progress.lastTransitionTime) condition.lastTransitionTime = progress.lastTransitionTime;
      // Replaced even if it is equal: its lastUpdateTime is the time of the last progress.
      conditions = [...conditions.filter(({ type }) => type !== 'Progressing'), condition];
    } else if (isTimedOut(deployment, status, at.nowMs)) {
      const message = `${subject} has timed out progressing.`;
      conditions = withDeploymentCondition(conditions, newCondition('Progressing', 'False', progressReasons.timedOut, message, at.now));
    }
  }
  const failure = replicaFailure(all, newSet);
  if (failure === undefined) conditions = conditions.filter(({ type }) => type !== 'ReplicaFailure');
  else {
    const { status: state, reason = '', message = '' } = failure;
    conditions = withDeploymentCondition(conditions, {
      ...newCondition('ReplicaFailure', state, reason, message, at.now),
      lastTransitionTime: failure.lastTransitionTime ?? at.now,
    });
  }
  return { ...status, conditions: [...conditions] };
}

function replicaFailure(all: Sets, newSet: ReadonlySet | undefined) {
  const failureOf = (set: ReadonlySet) => set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  const ofNew = newSet === undefined ? undefined : failureOf(newSet);
  if (ofNew !== undefined) return ofNew;
  return all.map(failureOf).find((failure) => failure !== undefined);
}

/** Seconds until the deadline could pass unnoticed if nothing happens; undefined where none is running. */
export function secondsUntilDeadline(deployment: ReadonlyDeployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progress = findConditionOf(status.conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || progress === undefined) return undefined;
  if (isComplete(deployment, status) || progress.reason === progressReasons.timedOut) return undefined;
  const updatedMs = findTime(progress.lastUpdateTime) ?? nowMs;
  return Math.max(0, (updatedMs - nowMs) / 1000 + (deployment.spec?.progressDeadlineSeconds ?? 0)) + 1;
}
