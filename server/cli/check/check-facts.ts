import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Namespace, Pod, ServiceAccount } from '../../../api/types/core-v1.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../../api/types/rbac-v1.ts';
import type { NetworkPolicy } from '../../../api/types/networking-v1.ts';

/** The findings of `kubets check`, before anything is concluded from them. */
export interface CheckFacts {
  readonly dataDirectory: string;
  /** Name of the user that the data directory belongs to: root, or who runs a control plane without a node. */
  readonly owner: string;
  readonly hasControlPlane: boolean;
  readonly hasNode: boolean;
  readonly files: readonly FileFacts[];
  readonly settings: SettingsFacts;
  /** Absent: no API server answers. */
  readonly server?: ServerFacts;
  /** Absent where it does not run on etcd, or its address is not known. */
  readonly etcd?: EtcdFacts;
  readonly nodes: readonly NodeFacts[];
  /** Absent: it could not be read, or not as a whole. */
  readonly cluster?: ClusterFacts;
  /** The reasons why facts are missing. */
  readonly problems: readonly string[];
}

export interface FileFacts {
  readonly path: string;
  /** The file's role in the benchmark. */
  readonly role: FileRole;
  readonly isDirectory: boolean;
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

export type FileRole =
  | 'unit'
  | 'cni'
  | 'storage'
  | 'admin-kubeconfig'
  | 'pki-directory'
  | 'certificate'
  | 'key'
  | 'public-key'
  | 'kubelet-kubeconfig'
  | 'kubelet-certificate'
  | 'encryption-configuration'
  | 'audit-log';

/** The flags of the control plane: those given and their defaults, by their names in camel case. */
export interface SettingsFacts {
  /** 'process': the flags of the running process; 'unit': those of the service's unit; 'unknown': there is neither. */
  readonly source: 'process' | 'unit' | 'unknown';
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of the admission plugins that run with these flags. */
  readonly admissionPlugins: readonly string[];
  /** The value of --controllers. */
  readonly controllers: readonly string[];
  /** The level that PodSecurity enforces in namespaces without labels. */
  readonly podSecurityDefault: string;
  /** The resources that the EncryptionConfiguration encrypts, and their providers. Absent: there is none, or it cannot be read. */
  readonly encryption?: readonly EncryptionRule[];
  /** Of the audit policy: its rules, as far as the checks need them. Absent: likewise. */
  readonly auditRules?: readonly AuditRuleFacts[];
}

interface EncryptionRule {
  readonly resources: readonly string[];
  /** The providers; the first one writes. */
  readonly providers: readonly string[];
}

export interface AuditRuleFacts {
  readonly level: string;
  readonly resources: readonly string[];
}

/** Answers of the API server to requests over the network. */
export interface ServerFacts {
  readonly address: string;
  /** Of a request for Pods without credentials. */
  readonly anonymousStatus: number;
  /** Of a request for profiles by the administrator. */
  readonly profilingStatus: number;
  readonly tls: TLSFacts;
  /** Ports of the controller manager and the scheduler, which take connections. */
  readonly openComponentPorts: readonly number[];
}

export interface TLSFacts {
  /** Versions older than 1.2 with which a handshake succeeded. */
  readonly oldVersions: readonly string[];
  /** Weak ciphers with which a handshake succeeded. */
  readonly weakCiphers: readonly string[];
}

export interface EtcdFacts {
  readonly endpoints: readonly string[];
  /** Endpoints without TLS. */
  readonly plain: readonly string[];
  /** Endpoints that answered a client without a certificate. */
  readonly open: readonly string[];
  /** Whether its authority is also that of the cluster; absent: not known. */
  readonly sharesAuthority?: boolean;
}

export interface NodeFacts {
  readonly name: string;
  /** Whether its agent runs on this machine, from this data directory. */
  readonly isLocal: boolean;
  /** The KubeletConfiguration that its kubelet shows. */
  readonly configz?: Readonly<Record<string, unknown>>;
  /** Of a request for its Pods without credentials; absent: no connection. */
  readonly anonymousStatus?: number;
  readonly tls?: TLSFacts;
  /** Ports that take connections, of those that must not: read-only kubelet, proxy metrics. Absent: it was not tried. */
  readonly openPorts?: readonly number[];
  readonly problem?: string;
}

export interface ClusterFacts {
  readonly clusterRoles: readonly DeepReadonly<ClusterRole>[];
  readonly roles: readonly DeepReadonly<Role>[];
  readonly clusterRoleBindings: readonly DeepReadonly<ClusterRoleBinding>[];
  readonly roleBindings: readonly DeepReadonly<RoleBinding>[];
  readonly namespaces: readonly DeepReadonly<Namespace>[];
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly serviceAccounts: readonly DeepReadonly<ServiceAccount>[];
  readonly networkPolicies: readonly DeepReadonly<NetworkPolicy>[];
  /** `namespace/name` of Secrets that hold a token of a ServiceAccount which never expires. */
  readonly tokenSecrets: readonly string[];
  /** Names of bootstrap tokens' Secrets that have not expired. */
  readonly bootstrapTokens: readonly string[];
  /** Names of validating admission policies that are bound, and of validating webhooks. */
  readonly policyControls: readonly string[];
}
