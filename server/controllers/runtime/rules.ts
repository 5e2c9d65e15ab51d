import type { PolicyRule } from '../../../api/types/rbac-v1.ts';

/** A rule of a controller's ClusterRole, with its lists sorted as in upstream's roles. */
export function rule(apiGroups: readonly string[], resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: [...apiGroups].sort(), resources: [...resources].sort(), verbs: [...verbs].sort() };
}

/** The permission to record Events. */
export const eventsRule: PolicyRule = rule(['', 'events.k8s.io'], ['events'], ['create', 'update', 'patch']);
