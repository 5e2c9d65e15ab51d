import type { Clock } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import type { RBACListers } from '../authorization/rbac-authorizer.ts';
import { ensureLocalAPIServices } from './api-services.ts';
import { defaultClusterRoles } from './cluster-roles.ts';
import { createDefaultServiceCIDR } from './default-service-cidr.ts';
import { ensureFlowControl } from './ensure-flow-control.ts';
import { controllerRoles, type ControllerRules } from './controller-roles.ts';
import {
  ensureExtensionAuthentication,
  ensureKubernetesService,
  ensurePriorityClasses,
  ensureSystemNamespaces,
  type SystemObjectsOptions,
} from './ensure-system-objects.ts';
import { ensureLegacyTokenTracking } from './legacy-token-tracking.ts';
import { ensureJoining, type JoiningOptions } from './joining.ts';
import { withOtherControllers } from './other-controllers.ts';
import { reconcileRoles } from './reconcile-roles.ts';
import { retryTransient } from './retry-transient.ts';
import { defaultClusterRoleBindings, defaultRoleBindings, defaultRoles } from './role-bindings.ts';

export interface BootstrapOptions extends Omit<SystemObjectsOptions, 'client' | 'clock'> {
  /** Controllers whose roles are to be there. */
  readonly controllers: readonly ControllerRules[];
  /** Absent: nodes do not join by themselves. */
  readonly joining?: Omit<JoiningOptions, 'clusterCAPEM'>;
}

interface BootstrapDependencies {
  readonly client: Client;
  readonly clock: Clock;
  /** Synced. */
  readonly listers: RBACListers;
  /** Runs a part as a hook of that name, so that readyz can name the missing part. */
  runHook(name: BootstrapHook, work: () => Promise<void>): Promise<void>;
}

/** The hooks that bootstrapCluster runs. */
export const bootstrapHooks = [
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'start-legacy-token-tracking-controller',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
  'kube-apiserver-autoregistration',
] as const;

type BootstrapHook = (typeof bootstrapHooks)[number];

/** Creates the initial objects of every cluster. Idempotent: the second start only reads. */
export async function bootstrapCluster(options: BootstrapOptions, dependencies: BootstrapDependencies): Promise<void> {
  const { client, clock, listers } = dependencies;
  const hooks = (name: BootstrapHook, work: () => Promise<void>) => dependencies.runHook(name, () => retryTransient(clock, work));
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
  const system = { ...options, client, clock };
  const serviceCIDR = hooks('start-kubernetes-service-cidr-controller', async () => {
    await namespaces;
    await createDefaultServiceCIDR(options.serviceCIDRs, system)();
  });
  const service = hooks('bootstrap-controller', async () => {
    // The Service's address is taken from the range that the ServiceCIDR declares.
    await serviceCIDR;
    await ensureKubernetesService(system);
  });
  const authentication = hooks('start-cluster-authentication-info-controller', async () => {
    await namespaces;
    await ensureExtensionAuthentication(system);
  });
  const tokenTracking = hooks('start-legacy-token-tracking-controller', async () => {
    await namespaces;
    await ensureLegacyTokenTracking(client, clock.nowMs());
  });
  const priorities = hooks('scheduling/bootstrap-system-priority-classes', () => ensurePriorityClasses(client));
  const apiServices = hooks('kube-apiserver-autoregistration', () => ensureLocalAPIServices(client));
  const flowControl = hooks('priority-and-fairness-config-producer', () => ensureFlowControl(client));
  await Promise.all([namespaces, roles, serviceCIDR, service, authentication, tokenTracking, priorities, apiServices, flowControl]);
  const { joining, clusterCAPEM } = options;
  if (joining !== undefined) await retryTransient(clock, () => ensureJoining(client, { ...joining, clusterCAPEM }));
}
