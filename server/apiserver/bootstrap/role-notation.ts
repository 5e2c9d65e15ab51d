import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '../../../api/types/rbac-v1.ts';

/** The short hand in which the default roles are written down. */

export const apiVersion = 'rbac.authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';
export const autoUpdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const annotations = { [autoUpdateAnnotation]: 'true' };

const verbSets: Readonly<Record<string, string>> = {
  read: 'get list watch',
  write: 'create delete deletecollection patch update',
  all: 'create delete deletecollection get list patch update watch',
};

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** `rule('read', 'core apps', 'pods deployments', 'name')`: verbs or one of read, write, all; groups, `core` being ''; resources; names. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return {
    apiGroups: words(groups).map((group) => (group === 'core' ? '' : group)),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
    resources: words(resources).sort(),
    verbs: words(verbSets[verbs] ?? verbs).sort(),
  };
}

export function pathRule(verbs: string, paths: string): PolicyRule {
  return { nonResourceURLs: words(paths), verbs: words(verbs) };
}

export const eventsRule = rule('create patch update', 'core events.k8s.io', 'events');

export function clusterRole(
  name: string,
  rules: readonly PolicyRule[],
  more: { readonly labels?: Record<string, string>; readonly aggregates?: string } = {},
): ClusterRole {
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...labels, ...more.labels }, annotations },
    rules: [...rules],
    ...(more.aggregates === undefined
      ? {}
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [more.aggregates]: 'true' } }] } }),
  };
}

export function role(namespace: string, name: string, rules: readonly PolicyRule[]): Role {
  return { apiVersion, kind: 'Role', metadata: { namespace, name, labels, annotations }, rules: [...rules] };
}

export const user = (name: string): Subject => ({ apiGroup, kind: 'User', name });
export const group = (name: string): Subject => ({ apiGroup, kind: 'Group', name });
export const serviceAccount = (namespace: string, name: string): Subject => ({ kind: 'ServiceAccount', name, namespace });

export function clusterRoleBinding(roleName: string, ...subjects: Subject[]): ClusterRoleBinding {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: roleName, labels, annotations },
    roleRef: { apiGroup, kind: 'ClusterRole', name: roleName },
    ...(subjects.length > 0 ? { subjects } : {}),
  };
}

export function roleBinding(namespace: string, name: string, roleName: string, ...subjects: Subject[]): RoleBinding {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { namespace, name, labels, annotations },
    roleRef: { apiGroup, kind: 'Role', name: roleName },
    subjects,
  };
}
