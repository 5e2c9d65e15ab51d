import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import { roleBindings } from '../../../api/resources/rbac/v1/role-binding.ts';
import { roles } from '../../../api/resources/rbac/v1/role.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '../../../api/types/rbac-v1.ts';
import type { RBACListers } from '../authorization/rbac-authorizer.ts';
import { uncoveredRules } from '../authorization/rule-evaluation.ts';
import { autoUpdateAnnotation } from './role-notation.ts';

interface DefaultRoles {
  readonly clusterRoles: readonly ClusterRole[];
  readonly clusterRoleBindings: readonly ClusterRoleBinding[];
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
}

/**
 * Creates missing default roles and bindings, and restores removed parts of existing ones (rules, subjects, labels), unless their
 * `autoupdate` annotation is false. Additions are kept. `listers` are synced.
 */
export async function reconcileRoles(defaults: DefaultRoles, listers: RBACListers, client: Client, clock: Clock): Promise<void> {
  const ensure = <T extends KubeObject>(
    resource: ResourceDefinition<T>,
    wanted: T,
    existing: DeepReadonly<T> | undefined,
    plan: (present: T) => T | undefined,
  ) => ensureOne(client, clock, resource, wanted, existing, plan);
  await Promise.all([
    ...defaults.clusterRoles.map((one) =>
      ensure<ClusterRole>(clusterRoles, one, listers.clusterRoles.find(keyOf(one)), (present) => planRole(one, present)),
    ),
    ...defaults.roles.map((one) => ensure<Role>(roles, one, listers.roles.find(keyOf(one)), (present) => planRole(one, present))),
  ]);
  await Promise.all([
    ...defaults.clusterRoleBindings.map((one) =>
      ensure<ClusterRoleBinding>(clusterRoleBindings, one, listers.clusterRoleBindings.find(keyOf(one)), (present) =>
        planBinding(one, present),
      ),
    ),
    ...defaults.roleBindings.map((one) =>
      ensure<RoleBinding>(roleBindings, one, listers.roleBindings.find(keyOf(one)), (present) => planBinding(one, present)),
    ),
  ]);
  await untilSeen(defaults, listers, clock);
}

const lookAgainMs = 5;
const waitAtMostMs = 5000;

/** The authorizer decides by the listers: controllers that started before these have caught up would be refused. */
async function untilSeen(defaults: DefaultRoles, listers: RBACListers, clock: Clock): Promise<void> {
  const startMs = clock.monotonicMs();
  const isSeen = () =>
    defaults.clusterRoles.every((one) => listers.clusterRoles.find(keyOf(one))) &&
    defaults.clusterRoleBindings.every((one) => listers.clusterRoleBindings.find(keyOf(one))) &&
    defaults.roles.every((one) => listers.roles.find(keyOf(one))) &&
    defaults.roleBindings.every((one) => listers.roleBindings.find(keyOf(one)));
  while (!isSeen() && clock.monotonicMs() - startMs < waitAtMostMs) await sleep(clock, lookAgainMs);
}

async function ensureOne<T extends KubeObject>(
  client: Client,
  clock: Clock,
  resource: ResourceDefinition<T>,
  wanted: T,
  existing: DeepReadonly<T> | undefined,
  plan: (present: T) => T | undefined,
): Promise<void> {
  // Objects of the cache are shared; the plan copies the parts that it changes.
  if (existing && plan(existing as T) === undefined) return;
  if (!existing) {
    try {
      await client(resource).create(wanted);
      return;
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
  }
  await retryOnConflict(clock, async () => {
    const changed = plan(await client(resource).get(keyOf(wanted)));
    if (changed) await client(resource).update(changed);
  });
}

/** The role with its missing rules, undefined if none are missing. */
export function planRole<T extends Role | ClusterRole>(wanted: T, present: T): T | undefined {
  if (!mayUpdate(present)) return undefined;
  const isAggregated = 'aggregationRule' in wanted && wanted.aggregationRule !== undefined;
  const missing = isAggregated ? [] : uncoveredRules(present.rules ?? [], wanted.rules ?? []);
  const labels = missingEntries(wanted.metadata.labels, present.metadata.labels);
  if (missing.length === 0 && !labels) return undefined;
  return {
    ...present,
    metadata: { ...present.metadata, labels: { ...present.metadata.labels, ...labels } },
    rules: [...(present.rules ?? []), ...missing],
  };
}

/** The binding with its missing subjects, undefined if none are missing. The role of a binding cannot be changed. */
export function planBinding<T extends RoleBinding | ClusterRoleBinding>(wanted: T, present: T): T | undefined {
  if (!mayUpdate(present)) return undefined;
  const isIn = (subject: Subject) =>
    (present.subjects ?? []).some(
      (other) => other.kind === subject.kind && other.name === subject.name && (other.namespace ?? '') === (subject.namespace ?? ''),
    );
  const missing = (wanted.subjects ?? []).filter((subject) => !isIn(subject));
  return missing.length === 0 ? undefined : { ...present, subjects: [...(present.subjects ?? []), ...missing] };
}

function mayUpdate(present: KubeObject): boolean {
  return present.metadata.annotations?.[autoUpdateAnnotation] !== 'false';
}

function missingEntries(
  wanted: Record<string, string> | undefined,
  present: Record<string, string> | undefined,
): Record<string, string> | undefined {
  const missing = Object.entries(wanted ?? {}).filter(([name]) => present?.[name] === undefined);
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}
