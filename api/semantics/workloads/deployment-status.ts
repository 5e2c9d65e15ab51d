import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Deployment } from '../../types/apps-v1.ts';
import { resolveRollingUpdateBounds, type RollingUpdateBounds } from './int-or-percent.ts';

/** Surge and unavailability that the strategy allows at the desired size; Recreate allows no surge. */
export function deploymentBounds(deployment: DeepReadonly<Deployment>): RollingUpdateBounds {
  const { strategy, replicas = 1 } = deployment.spec ?? {};
  if (strategy?.type === 'Recreate' || replicas === 0) return { surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = strategy?.rollingUpdate ?? {};
  const bounds = resolveRollingUpdateBounds(maxSurge, maxUnavailable, replicas);
  return { surge: bounds.surge, unavailable: Math.min(bounds.unavailable, replicas) };
}
