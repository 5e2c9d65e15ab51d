import type { ClusterRole } from '../../../api/types/rbac-v1.ts';
import { clusterRole, rule } from './role-notation.ts';

/** admin, edit and view are unions of all ClusterRoles with their label, so that anyone can add to them. */
const aggregateTo = (name: string) => `rbac.authorization.k8s.io/aggregate-to-${name}`;
const contributesTo = (name: string) => ({ labels: { [aggregateTo(name)]: 'true' } });

const adminRules = [
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule('all', 'rbac.authorization.k8s.io', 'rolebindings roles'),
];

const editRules = [
  rule('read', 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  rule('impersonate', 'core', 'serviceaccounts'),
  rule('write', 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  rule('create', 'core', 'pods/eviction'),
  rule(
    'write',
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
  ),
  rule('create', 'core', 'serviceaccounts/token'),
  rule(
    'write',
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
  ),
  rule('write', 'autoscaling', 'horizontalpodautoscalers'),
  rule('write', 'batch', 'cronjobs jobs'),
  rule(
    'write',
    'extensions',
    'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
  ),
  rule('write', 'policy', 'poddisruptionbudgets'),
  rule('write', 'networking.k8s.io', 'ingresses networkpolicies'),
  rule('all', 'coordination.k8s.io', 'leases'),
  rule('write', 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
];

const viewRules = [
  rule(
    'read',
    'core',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
  ),
  rule(
    'read',
    'core',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
  ),
  rule('read', 'core', 'namespaces'),
  rule('read', 'discovery.k8s.io', 'endpointslices'),
  rule(
    'read',
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
  ),
  rule('read', 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule('read', 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  rule(
    'read',
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
  ),
  rule('read', 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule('read', 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  rule('read', 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
];

/** Roles for people, to be bound in a namespace. Their rules are the union of the rules of roles that are aggregated to them. */
export const userRoles: readonly ClusterRole[] = [
  clusterRole('admin', [...editRules, ...viewRules, ...adminRules], { aggregates: aggregateTo('admin') }),
  clusterRole('edit', [...editRules, ...viewRules], { aggregates: aggregateTo('edit'), ...contributesTo('admin') }),
  clusterRole('view', viewRules, { aggregates: aggregateTo('view'), ...contributesTo('edit') }),
  clusterRole('system:aggregate-to-admin', adminRules, contributesTo('admin')),
  clusterRole('system:aggregate-to-edit', editRules, contributesTo('edit')),
  clusterRole('system:aggregate-to-view', viewRules, contributesTo('view')),
];
