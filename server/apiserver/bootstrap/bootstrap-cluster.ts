import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import type { RBACListers } from '../authorization/rbac-authorizer.ts';
import { defaultClusterRoles } from './cluster-roles.ts';
import { ensureFlowControl } from './ensure-flow-control.ts';
import { controllerRoles, type ControllerRules } from './controller-roles.ts';
import { ensureSystemNamespaces, ensureSystemObjects, type SystemObjectsOptions } from './ensure-system-objects.ts';
import { ensureJoining, type JoiningOptions } from './joining.ts';
import { withOtherControllers } from './other-controllers.ts';
import { reconcileRoles } from './reconcile-roles.ts';
import { defaultClusterRoleBindings, defaultRoleBindings, defaultRoles } from './role-bindings.ts';

export interface BootstrapOptions extends Omit<SystemObjectsOptions, 'client' | 'clock'> {
  /** Controllers whose roles are to be there. */
  readonly controllers: readonly ControllerRules[];
  /** Absent: nodes do not join by themselves. */
  readonly joining?: Omit<JoiningOptions, 'clusterCAPEM'>;
}

export interface BootstrapDependencies {
  readonly client: Client;
  readonly clock: Clock;
  /** Synced. */
  readonly listers: RBACListers;
  /** Runs a part under its name, so that readyz can tell which is missing. */
  hooks(name: string, work: () => Promise<void>): Promise<void>;
}

/** Makes what every cluster has from its beginning. Idempotent; the second start only reads. */
export async function bootstrapCluster(options: BootstrapOptions, { client, clock, listers, hooks }: BootstrapDependencies): Promise<void> {
  const namespaces = hooks('start-system-namespaces-controller', () => ensureSystemNamespaces(client));
  const roles = hooks('rbac/bootstrap-roles', async () => {
    await namespaces;
    const ofControllers = controllerRoles(withOtherControllers(options.controllers));
    const defaults = {
      clusterRoles: [...defaultClusterRoles, ...ofControllers.roles],
      clusterRoleBindings: [...defaultClusterRoleBindings, ...ofControllers.bindings],
      roles: defaultRoles,
      roleBindings: defaultRoleBindings,
    };
    await reconcileRoles(defaults, listers, client, clock);
  });
  const objects = hooks('bootstrap-controller', async () => {
    await namespaces;
    await ensureSystemObjects({ ...options, client, clock });
  });
  const { joining, clusterCAPEM } = options;
  const newcomers = hooks('bootstrap-joining', async () => {
    await roles;
    if (joining !== undefined) await ensureJoining(client, { ...joining, clusterCAPEM });
  });
  const flowControl = hooks('priority-and-fairness-config-producer', () => ensureFlowControl(client));
  await Promise.all([namespaces, roles, objects, newcomers, flowControl]);
}
