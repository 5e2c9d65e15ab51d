import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../../api/types/rbac-v1.ts';
import { clusterRole, clusterRoleBinding, serviceAccount } from './role-notation.ts';

/** A controller as far as its permissions go. */
export interface ControllerRules {
  /** Service account in kube-system that it acts as, e.g. replicaset-controller. */
  readonly account: string;
  readonly rules: readonly PolicyRule[];
}

/** The ClusterRoles `system:controller:<account>` and their bindings, for controllers that state their rules. */
export function controllerRoles(controllers: readonly ControllerRules[]): {
  readonly roles: ClusterRole[];
  readonly bindings: ClusterRoleBinding[];
} {
  const byAccount = new Map<string, PolicyRule[]>();
  for (const { account, rules } of controllers) byAccount.set(account, [...(byAccount.get(account) ?? []), ...rules]);
  // An account without rules for the whole cluster has Roles in single namespaces instead.
  const entries = [...byAccount].filter(([, rules]) => rules.length > 0);
  return {
    roles: entries.map(([account, rules]) => clusterRole(`system:controller:${account}`, rules)),
    bindings: entries.map(([account]) => clusterRoleBinding(`system:controller:${account}`, serviceAccount('kube-system', account))),
  };
}
