import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

/** One rule of a controller's ClusterRole, its lists sorted as those of upstream's roles are. */
export function rule(apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: [...apiGroups].sort(), resources: [...resources].sort(), verbs: [...verbs].sort() };
}

/** The permission to record Events. */
export const eventsRule: PolicyRule = rule(['', 'events.k8s.io'], ['events'], ['create', 'update', 'patch']);
