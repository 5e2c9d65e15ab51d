import type { ClusterRole, ClusterRoleBinding } from '../../api/types/rbac-v1.ts';
import type { Controller } from './runtime/define-controller.ts';

export interface ControllerRole {
  readonly role: ClusterRole;
  readonly binding: ClusterRoleBinding;
}

const metadata = (account: string) => ({
  name: `system:controller:${account}`,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
});

/** The ClusterRoles that controllers act with, and the bindings to their service accounts, as upstream names them. */
export function controllerRoles(controllers: readonly Controller[]): ControllerRole[] {
  const byAccount = new Map<string, ControllerRole>();
  for (const { account, rules } of controllers) {
    // Controllers that share an account share its role.
    if (byAccount.has(account)) continue;
    byAccount.set(account, {
      role: { metadata: metadata(account), rules: rules.map((rule) => ({ ...rule })) },
      binding: {
        metadata: metadata(account),
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `system:controller:${account}` },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
      },
    });
  }
  return [...byAccount.values()];
}
