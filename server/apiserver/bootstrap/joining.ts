import type { Client } from '../../../api/client/client.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { clusterRoleBindings } from '../../../api/resources/rbac/v1/cluster-role-binding.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import { roleBindings } from '../../../api/resources/rbac/v1/role-binding.ts';
import { roles } from '../../../api/resources/rbac/v1/role.ts';
import { clusterAuthoritiesKey, formatClusterAuthorities } from '../../../api/semantics/certificates/cluster-authorities.ts';
import { type NodeConfiguration, nodeConfigurationKey } from '../../../api/semantics/nodes/node-configuration.ts';
import type { ConfigMap } from '../../../api/types/core-v1.ts';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '../../../api/types/rbac-v1.ts';
import { ensureObject } from './ensure-object.ts';
import { apiVersion, group, rule, user } from './role-notation.ts';

export interface JoiningOptions {
  /** The URL at which nodes on other machines reach this server: https://host:port */
  readonly server: string;
  readonly clusterCAPEM: string;
  /** Certificates of newer authorities by older ones, see ClusterAuthorities. */
  readonly vouchersPEM: string;
  readonly nodeConfiguration: NodeConfiguration;
}

/** The group of the tokens that `kubeadm token create` makes. */
const newNodes = group('system:bootstrappers:kubeadm:default-node-token');
const nodes = group('system:nodes');

/**
 * Makes the objects that nodes need to join, under kubeadm's names: the identity of the cluster (ConfigMap
 * kube-public/cluster-info, readable by everyone and signed with each token), and rights of tokens and nodes to have
 * certificates made. What an administrator has changed stays; what was deleted comes back with the next start.
 */
export async function ensureJoining(client: Client, options: JoiningOptions): Promise<void> {
  const info = clusterInfo(options);
  const authorities = clusterAuthorities(options);
  const configuration: ConfigMap = { metadata: { ...nodeConfigurationKey }, data: { ...options.nodeConfiguration } };
  await Promise.all([
    ensureObject(client, configMaps, info, (present) => ({ ...present, data: { ...present.data, ...info.data } })),
    ensureObject(client, configMaps, authorities, (present) => ({ ...present, data: { ...present.data, ...authorities.data } })),
    ensureObject(client, configMaps, configuration, (present) => ({ ...present, data: { ...present.data, ...configuration.data } })),
    ...joiningClusterRoles.map((one) => ensureObject(client, clusterRoles, one)),
    ...joiningClusterRoleBindings.map((one) => ensureObject(client, clusterRoleBindings, one)),
    ...joiningRoles.map((one) => ensureObject(client, roles, one)),
    ...joiningRoleBindings.map((one) => ensureObject(client, roleBindings, one)),
  ]);
}

/** From where nodes that have joined learn of changed authorities. */
export function clusterAuthorities({ clusterCAPEM, vouchersPEM }: Pick<JoiningOptions, 'clusterCAPEM' | 'vouchersPEM'>): ConfigMap {
  return { metadata: { ...clusterAuthoritiesKey }, data: formatClusterAuthorities({ trusted: clusterCAPEM, vouchers: vouchersPEM }) };
}

/** A kubeconfig without a user. */
export function clusterInfo({ server, clusterCAPEM }: Pick<JoiningOptions, 'server' | 'clusterCAPEM'>): ConfigMap {
  const ca = Buffer.from(clusterCAPEM).toString('base64');
  const kubeconfig = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${ca}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;
  return { metadata: { namespace: 'kube-public', name: 'cluster-info' }, data: { kubeconfig } };
}

const servingApproval = 'system:certificates.k8s.io:certificatesigningrequests:selfnodeserver';
const infoReader = 'kubeadm:bootstrap-signer-clusterinfo';
const configurationReader = 'kubets:node-configuration';
const dnsReader = 'kubets:cluster-dns';
const authoritiesReader = 'kubets:cluster-authorities';

const joiningClusterRoles: readonly ClusterRole[] = [
  clusterRole('kubeadm:get-nodes', rule('get', 'core', 'nodes')),
  clusterRole(servingApproval, rule('create', 'certificates.k8s.io', 'certificatesigningrequests/selfnodeserver')),
];

const joiningClusterRoleBindings: readonly ClusterRoleBinding[] = [
  clusterBinding('kubeadm:get-nodes', 'kubeadm:get-nodes', newNodes),
  clusterBinding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', newNodes),
  clusterBinding('kubeadm:node-autoapprove-bootstrap', 'system:certificates.k8s.io:certificatesigningrequests:nodeclient', newNodes),
  clusterBinding(
    'kubeadm:node-autoapprove-certificate-rotation',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    nodes,
  ),
  clusterBinding('kubets:node-autoapprove-serving', servingApproval, nodes),
];

const joiningRoles: readonly Role[] = [
  readerRole('kube-public', infoReader, 'cluster-info'),
  readerRole('kube-system', configurationReader, nodeConfigurationKey.name),
  // Every node serves cluster DNS, so it reads the servers that cluster DNS asks and follows changes.
  readerRole('kube-system', dnsReader, 'kube-dns', 'read'),
  // Every node reads the cluster's authorities and follows a rotation.
  readerRole('kube-system', authoritiesReader, clusterAuthoritiesKey.name, 'read'),
];

const joiningRoleBindings: readonly RoleBinding[] = [
  binding('kube-public', infoReader, user('system:anonymous')),
  binding('kube-system', configurationReader, newNodes, nodes),
  binding('kube-system', dnsReader, nodes),
  binding('kube-system', authoritiesReader, nodes),
];

function clusterRole(name: string, ...rules: PolicyRule[]): ClusterRole {
  return { apiVersion, kind: 'ClusterRole', metadata: { name }, rules };
}

function clusterBinding(name: string, roleName: string, ...subjects: Subject[]): ClusterRoleBinding {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName };
  return { apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects };
}

function readerRole(namespace: string, name: string, configMap: string, verbs = 'get'): Role {
  return { apiVersion, kind: 'Role', metadata: { namespace, name }, rules: [rule(verbs, 'core', 'configmaps', configMap)] };
}

function binding(namespace: string, name: string, ...subjects: Subject[]): RoleBinding {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  return { apiVersion, kind: 'RoleBinding', metadata: { namespace, name }, roleRef, subjects };
}
