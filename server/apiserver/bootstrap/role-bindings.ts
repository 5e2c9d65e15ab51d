import type { ClusterRoleBinding, Role, RoleBinding } from '../../../api/types/rbac-v1.ts';
import { kubeletClientName } from '../../pki/certificate-spec.ts';
import { allAuthenticated, allUnauthenticated, systemMasters } from '../authentication/well-known.ts';
import { clusterRoleBinding, eventsRule, group, role, roleBinding, rule, serviceAccount, user } from './role-notation.ts';

const controllerManager = user('system:kube-controller-manager');
const scheduler = user('system:kube-scheduler');

/** The default ClusterRoleBindings, but for those of controllers. */
export const defaultClusterRoleBindings: readonly ClusterRoleBinding[] = [
  clusterRoleBinding('cluster-admin', group(systemMasters)),
  clusterRoleBinding('system:monitoring', group('system:monitoring')),
  clusterRoleBinding('system:discovery', group(allAuthenticated)),
  clusterRoleBinding('system:basic-user', group(allAuthenticated)),
  clusterRoleBinding('system:public-info-viewer', group(allAuthenticated), group(allUnauthenticated)),
  clusterRoleBinding('system:node-proxier', user('system:kube-proxy')),
  clusterRoleBinding('system:kube-controller-manager', controllerManager),
  clusterRoleBinding('system:kube-dns', serviceAccount('kube-system', 'kube-dns')),
  clusterRoleBinding('system:kube-scheduler', scheduler),
  clusterRoleBinding('system:volume-scheduler', scheduler),
  clusterRoleBinding('system:service-account-issuer-discovery', group('system:serviceaccounts')),
  // The node agent is kubelet, Service proxy and cluster DNS in one. Upstream's kube-proxy and CoreDNS have their own users.
  {
    ...clusterRoleBinding('system:node-proxier', group('system:nodes')),
    metadata: { ...clusterRoleBinding('system:node-proxier').metadata, name: 'kubets:node-proxier' },
  },
  // The node enforces NetworkPolicies too, which needs the addresses and labels of all Pods.
  clusterRoleBinding('kubets:network-policies', group('system:nodes')),
  // The API server as a client of kubelets: only the requests that it needs.
  {
    ...clusterRoleBinding('system:kubelet-api-admin', user(kubeletClientName)),
    metadata: { ...clusterRoleBinding('system:kubelet-api-admin').metadata, name: 'kubets:apiserver-kubelet-client' },
  },
  // Nodes have their own authorizer.
  clusterRoleBinding('system:node'),
];

const authenticationReader = 'extension-apiserver-authentication-reader';
const bootstrapSigner = 'system:controller:bootstrap-signer';
const tokenCleaner = 'system:controller:token-cleaner';

const lockRules = (name: string) => [
  rule('watch', 'core', 'configmaps'),
  rule('get update', 'core', 'configmaps', name),
  rule('create get list update watch', 'coordination.k8s.io', 'leases'),
  rule('create get list update watch', 'coordination.k8s.io', 'leasecandidates'),
];

export const defaultRoles: readonly Role[] = [
  role('kube-system', authenticationReader, [rule('read', 'core', 'configmaps', 'extension-apiserver-authentication')]),
  role('kube-system', bootstrapSigner, [rule('read', 'core', 'secrets')]),
  role('kube-system', 'system:controller:cloud-provider', [rule('create get list watch', 'core', 'configmaps')]),
  role('kube-system', tokenCleaner, [rule('delete get list watch', 'core', 'secrets'), eventsRule]),
  role('kube-system', 'system::leader-locking-kube-controller-manager', lockRules('kube-controller-manager')),
  role('kube-system', 'system::leader-locking-kube-scheduler', lockRules('kube-scheduler')),
  role('kube-public', bootstrapSigner, [
    rule('read', 'core', 'configmaps'),
    rule('update', 'core', 'configmaps', 'cluster-info'),
    eventsRule,
  ]),
];

export const defaultRoleBindings: readonly RoleBinding[] = [
  roleBinding('kube-system', `system::${authenticationReader}`, authenticationReader, controllerManager, scheduler),
  roleBinding('kube-system', bootstrapSigner, bootstrapSigner, serviceAccount('kube-system', 'bootstrap-signer')),
  roleBinding(
    'kube-system',
    'system:controller:cloud-provider',
    'system:controller:cloud-provider',
    serviceAccount('kube-system', 'cloud-provider'),
  ),
  roleBinding('kube-system', tokenCleaner, tokenCleaner, serviceAccount('kube-system', 'token-cleaner')),
  roleBinding(
    'kube-system',
    'system::leader-locking-kube-controller-manager',
    'system::leader-locking-kube-controller-manager',
    controllerManager,
    serviceAccount('kube-system', 'kube-controller-manager'),
    serviceAccount('kube-system', 'leader-election-controller'),
  ),
  roleBinding(
    'kube-system',
    'system::leader-locking-kube-scheduler',
    'system::leader-locking-kube-scheduler',
    scheduler,
    serviceAccount('kube-system', 'kube-scheduler'),
  ),
  roleBinding('kube-public', bootstrapSigner, bootstrapSigner, serviceAccount('kube-system', 'bootstrap-signer')),
];
