import type { ClusterRole } from '../../../api/types/rbac-v1.ts';
import { clusterRole, eventsRule, pathRule, rule } from './role-notation.ts';
import { userRoles } from './user-roles.ts';

const tokenReviews = rule('create', 'authentication.k8s.io', 'tokenreviews');
const accessReviews = rule('create', 'authorization.k8s.io', 'subjectaccessreviews');
const signingRequests = 'certificatesigningrequests';

/** The permissions of every node; the node authorizer narrows some of it to the node's own pods. */
export const nodeRules = [
  tokenReviews,
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
  rule('read', 'core', 'services'),
  rule('create get list watch', 'core', 'nodes'),
  rule('patch update', 'core', 'nodes/status'),
  rule('patch update', 'core', 'nodes'),
  eventsRule,
  rule('read', 'core', 'pods'),
  rule('create delete', 'core', 'pods'),
  rule('patch update', 'core', 'pods/status'),
  rule('create', 'core', 'pods/eviction'),
  rule('read', 'core', 'configmaps secrets'),
  rule('get', 'core', 'persistentvolumeclaims persistentvolumes'),
  rule('get', 'core', 'endpoints'),
  rule('create get list watch', 'certificates.k8s.io', signingRequests),
  rule('create delete get patch update', 'coordination.k8s.io', 'leases'),
  rule('get', 'storage.k8s.io', 'volumeattachments'),
  rule('create', 'core', 'serviceaccounts/token'),
  rule('get patch update', 'core', 'persistentvolumeclaims/status'),
  rule('read', 'storage.k8s.io', 'csidrivers'),
  rule('create delete get patch update', 'storage.k8s.io', 'csinodes'),
  rule('read', 'node.k8s.io', 'runtimeclasses'),
  rule('get', 'resource.k8s.io', 'resourceclaims'),
  rule('all', 'resource.k8s.io', 'resourceslices'),
];

const certificateRoles: readonly ClusterRole[] = [
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
    rule('create', 'certificates.k8s.io', `${signingRequests}/nodeclient`),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
    rule('create', 'certificates.k8s.io', `${signingRequests}/selfnodeclient`),
  ]),
  ...[
    ['kube-apiserver-client', 'kube-apiserver-client'],
    ['kube-apiserver-client-kubelet', 'kube-apiserver-client-kubelet'],
    ['kubelet-serving', 'kubelet-serving'],
    ['legacy-unknown', 'legacy-unknown'],
  ].map(([name, signer]) =>
    clusterRole(`system:certificates.k8s.io:${name}-approver`, [
      rule('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`),
    ]),
  ),
];

const componentRoles: readonly ClusterRole[] = [
  clusterRole('system:node', nodeRules),
  clusterRole('system:node-problem-detector', [rule('get', 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), eventsRule]),
  clusterRole('system:kubelet-api-admin', [
    rule('read', 'core', 'nodes'),
    rule('proxy', 'core', 'nodes'),
    rule('*', 'core', 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats'),
  ]),
  clusterRole('system:node-bootstrapper', [rule('create get list watch', 'certificates.k8s.io', signingRequests)]),
  clusterRole('system:auth-delegator', [tokenReviews, accessReviews]),
  clusterRole('system:kube-aggregator', [rule('read', 'core', 'endpoints services')]),
  clusterRole('system:kube-controller-manager', [
    eventsRule,
    rule('create', 'coordination.k8s.io', 'leases'),
    rule('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
    rule('create', 'core', 'secrets serviceaccounts'),
    rule('delete', 'core', 'secrets'),
    rule('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
    rule('update', 'core', 'secrets serviceaccounts'),
    tokenReviews,
    accessReviews,
    rule('list watch', '*', '*'),
    rule('create', 'core', 'serviceaccounts/token'),
  ]),
  clusterRole('system:kube-scheduler', [
    eventsRule,
    rule('create', 'coordination.k8s.io', 'leases'),
    rule('get list update watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
    rule('all', 'coordination.k8s.io', 'leasecandidates'),
    rule('read', 'core', 'nodes'),
    rule('delete get list watch', 'core', 'pods'),
    rule('create', 'core', 'bindings pods/binding'),
    rule('patch update', 'core', 'pods/status'),
    rule('read', 'core', 'replicationcontrollers services'),
    rule('read', 'apps extensions', 'replicasets'),
    rule('read', 'apps', 'statefulsets'),
    rule('read', 'policy', 'poddisruptionbudgets'),
    rule('read', 'core', 'persistentvolumeclaims persistentvolumes'),
    tokenReviews,
    accessReviews,
    rule('read', 'storage.k8s.io', 'csinodes'),
    rule('read', 'core', 'namespaces'),
    rule('read', 'storage.k8s.io', 'csidrivers'),
    rule('read', 'storage.k8s.io', 'csistoragecapacities'),
    rule('read', 'storage.k8s.io', 'volumeattachments'),
    rule('read', 'resource.k8s.io', 'deviceclasses resourceslices'),
    rule('get list patch update watch', 'resource.k8s.io', 'resourceclaims'),
    rule('get list patch update watch', 'resource.k8s.io', 'resourceclaims/status'),
    rule('get list patch update watch', 'core', 'pods/finalizers'),
  ]),
  clusterRole('system:kube-dns', [
    rule('list watch', 'core', 'endpoints services'),
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
  ]),
  clusterRole('system:persistent-volume-provisioner', [
    rule('create delete get list watch', 'core', 'persistentvolumes'),
    rule('get list update watch', 'core', 'persistentvolumeclaims'),
    rule('read', 'storage.k8s.io', 'storageclasses'),
    rule('watch', 'core', 'events'),
    eventsRule,
  ]),
  clusterRole('system:volume-scheduler', [
    rule('get list patch update watch', 'core', 'persistentvolumes'),
    rule('read', 'storage.k8s.io', 'storageclasses'),
    rule('get list patch update watch', 'core', 'persistentvolumeclaims'),
  ]),
  clusterRole('system:node-proxier', [
    rule('list watch', 'core', 'endpoints services'),
    rule('read', 'core', 'nodes'),
    eventsRule,
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    rule('list watch', 'networking.k8s.io', 'servicecidrs'),
  ]),
  // The permissions that upstream leaves to the cluster's network plugin, which brings its own role.
  clusterRole('kubets:network-policies', [
    rule('list watch', 'core', 'namespaces pods'),
    rule('list watch', 'networking.k8s.io', 'networkpolicies'),
  ]),
  clusterRole('system:heapster', [rule('read', 'core', 'events namespaces nodes pods'), rule('read', 'extensions', 'deployments')]),
];

/** The default ClusterRoles, but for those of controllers. */
export const defaultClusterRoles: readonly ClusterRole[] = [
  clusterRole('cluster-admin', [rule('*', '*', '*'), pathRule('*', '*')]),
  clusterRole('system:discovery', [
    pathRule('get', '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'),
  ]),
  clusterRole('system:monitoring', [pathRule('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*')]),
  clusterRole('system:basic-user', [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  clusterRole('system:public-info-viewer', [pathRule('get', '/healthz /livez /readyz /version /version/')]),
  clusterRole('system:service-account-issuer-discovery', [
    pathRule('get', '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'),
  ]),
  ...userRoles,
  ...componentRoles,
  ...certificateRoles,
];
