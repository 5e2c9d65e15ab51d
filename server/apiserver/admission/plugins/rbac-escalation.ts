import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { forbidden } from '../../../../api/meta/status-errors.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { clusterRoleBindings } from '../../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../../api/resources/rbac/v1/cluster-role.ts';
import { roleBindings } from '../../../../api/resources/rbac/v1/role-binding.ts';
import { roles } from '../../../../api/resources/rbac/v1/role.ts';
import type { ClusterRole, PolicyRule, Role } from '../../../../api/types/rbac-v1.ts';
import { type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject } from '../admission-request.ts';

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** Refuses roles and bindings that give more than their writer holds. (Not a plugin upstream: part of its RBAC storage.) */
export const rbacEscalation = defineAdmissionPlugin({
  name: 'RBACEscalation',
  operations: ['CREATE', 'UPDATE'],
  resources: [roles, clusterRoles, roleBindings, clusterRoleBindings],
  async admit(request, { escalation }) {
    const { user, namespace, name } = request;
    const check = { user, resource: request.resource.names.plural, namespace, name };
    const role: Role | ClusterRole | undefined = newObject(request, roles) ?? newObject(request, clusterRoles);
    if (role) {
      if (isUnchangedRole(role, oldObject<ClusterRole>(request, clusterRoles)) || onlyReleasesObject(request)) return;
      await escalation.checkRole(check, role.rules ?? []);
      if (!('aggregationRule' in role) || role.aggregationRule === undefined) return;
      try {
        await escalation.checkRole(check, everything);
      } catch (error) {
        if (!hasReason(error, 'Forbidden')) throw error;
        throw forbidden(request.resource, name, 'must have cluster-admin privileges to use the aggregationRule');
      }
      return;
    }
    const binding = newObject(request, roleBindings) ?? newObject(request, clusterRoleBindings);
    if (binding && !onlyReleasesObject(request)) await escalation.checkBinding(check, binding.roleRef);
  },
});

function isUnchangedRole(role: Role | ClusterRole, old: DeepReadonly<ClusterRole> | undefined): boolean {
  if (!old) return false;
  const aggregation = 'aggregationRule' in role ? role.aggregationRule : undefined;
  return isSemanticallyEqual(role.rules, old.rules) && isSemanticallyEqual(aggregation, old.aggregationRule);
}

/** The garbage collector may remove owner references and finalizers of roles that it could not grant. */
function onlyReleasesObject({ object, oldObject: old }: AdmissionRequest): boolean {
  return object !== undefined && old !== undefined && isSemanticallyEqual(withoutReleasable(object), withoutReleasable(old));
}

function withoutReleasable({ metadata, ...rest }: DeepReadonly<UntypedObject>): unknown {
  const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managed, resourceVersion: _version, ...kept } = metadata;
  return { ...rest, metadata: kept };
}
