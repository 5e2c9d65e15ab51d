import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { findCondition } from '../../meta/conditions.ts';
import type { Deployment, DeploymentCondition } from '../../types/apps-v1.ts';
import { resolveRollingUpdateBounds, type RollingUpdateBounds } from './int-or-percent.ts';

export function findDeploymentCondition(deployment: DeepReadonly<Deployment>, type: string): DeepReadonly<DeploymentCondition> | undefined {
  return findCondition(deployment.status?.conditions, type);
}

/** Surge and unavailability that the strategy allows at the desired size; Recreate allows no surge. */
export function deploymentBounds(deployment: DeepReadonly<Deployment>): RollingUpdateBounds {
  const { strategy, replicas = 1 } = deployment.spec ?? {};
  if (strategy?.type === 'Recreate' || replicas === 0) return { surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = strategy?.rollingUpdate ?? {};
  const bounds = resolveRollingUpdateBounds(maxSurge, maxUnavailable, replicas);
  return { surge: bounds.surge, unavailable: Math.min(bounds.unavailable, replicas) };
}

/** Whether all Pods are of the newest template, available, and no old ones run, as of the observed generation. */
export function isDeploymentComplete(deployment: DeepReadonly<Deployment>): boolean {
  const { status, spec } = deployment;
  const desired = spec?.replicas ?? 1;
  return (
    (status?.updatedReplicas ?? 0) === desired &&
    (status?.replicas ?? 0) === desired &&
    (status?.availableReplicas ?? 0) === desired &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}
