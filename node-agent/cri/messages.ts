/**
 * The messages of the Container Runtime Interface that the agent writes and reads, with the field names of the wire
 * (runtime-v1.proto). int64 values are decimal strings on the way in (nanoseconds do not fit a number); numbers are
 * accepted on the way out. An absent message is null on the way in.
 */

interface SandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';

export interface NamespaceOptions {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  readonly target_id?: string;
  readonly userns_options?: { readonly mode: NamespaceMode; readonly uids: readonly IDMapping[]; readonly gids: readonly IDMapping[] };
}

export interface IDMapping {
  readonly host_id: number;
  readonly container_id: number;
  readonly length: number;
}

/** Whether the groups of the image's user count besides those that are named. */
export type SupplementalGroupsPolicy = 'Merge' | 'Strict';

export interface SecurityProfile {
  readonly profile_type: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  readonly localhost_ref?: string;
}

export interface LinuxResources {
  readonly cpu_period?: number;
  readonly cpu_quota?: number;
  readonly cpu_shares?: number;
  readonly memory_limit_in_bytes?: number;
  readonly oom_score_adj?: number;
  readonly memory_swap_limit_in_bytes?: number;
  readonly hugepage_limits?: readonly { readonly page_size: string; readonly limit: number }[];
  /** Files of cgroup version 2. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  readonly hostname: string;
  readonly log_directory: string;
  readonly dns_config?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  readonly port_mappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroup_parent: string;
    readonly sysctls: Readonly<Record<string, string>>;
    readonly security_context: {
      readonly namespace_options: NamespaceOptions;
      readonly run_as_user?: { readonly value: number };
      readonly run_as_group?: { readonly value: number };
      readonly supplemental_groups?: readonly number[];
      readonly supplemental_groups_policy?: SupplementalGroupsPolicy;
      readonly privileged: boolean;
      readonly seccomp: SecurityProfile;
    };
    readonly resources?: LinuxResources;
  };
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly container_port: number;
  readonly host_port: number;
  readonly host_ip: string;
}

export interface MountConfig {
  readonly container_path: string;
  readonly host_path: string;
  readonly readonly: boolean;
  readonly propagation: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL';
  readonly recursive_read_only?: boolean;
  /** In place of a path of the machine, which is '' then: what is in an image, or in a folder of it. */
  readonly image?: { readonly image: string; readonly user_specified_image: string };
  readonly image_sub_path?: string;
  /** The mapping of users to the machine's ids; absent: no user namespace. */
  readonly uidMappings?: readonly IDMapping[];
  readonly gidMappings?: readonly IDMapping[];
}

export interface ContainerSecurityContext {
  readonly capabilities: { readonly add_capabilities: readonly string[]; readonly drop_capabilities: readonly string[] };
  readonly privileged: boolean;
  readonly namespace_options: NamespaceOptions;
  readonly run_as_user?: { readonly value: number };
  readonly run_as_group?: { readonly value: number };
  readonly run_as_username?: string;
  readonly readonly_rootfs: boolean;
  readonly supplemental_groups: readonly number[];
  readonly supplemental_groups_policy?: SupplementalGroupsPolicy;
  readonly no_new_privs: boolean;
  readonly masked_paths: readonly string[];
  readonly readonly_paths: readonly string[];
  readonly seccomp: SecurityProfile;
  /** Absent: the runtime's default, if the machine has AppArmor. */
  readonly apparmor?: SecurityProfile;
}

export interface DeviceConfig {
  readonly container_path: string;
  readonly host_path: string;
  /** A combination of `r`, `w` and `m` (mknod). */
  readonly permissions: string;
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string; readonly user_specified_image: string };
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly working_dir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly MountConfig[];
  readonly devices: readonly DeviceConfig[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly CDI_devices?: readonly { readonly name: string }[];
  readonly log_path: string;
  readonly stdin: boolean;
  readonly stdin_once: boolean;
  readonly tty: boolean;
  readonly linux: { readonly resources: LinuxResources; readonly security_context: ContainerSecurityContext };
}

export interface Sandbox {
  readonly id: string;
  readonly metadata: SandboxMetadata;
  readonly state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
  /** Nanoseconds since the Unix epoch. */
  readonly created_at: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SandboxStatus extends Sandbox {
  readonly network: { readonly ip: string; readonly additional_ips: readonly { readonly ip: string }[] } | null;
}

export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';

export interface ListedContainer {
  readonly id: string;
  readonly pod_sandbox_id: string;
  readonly image: { readonly image: string } | null;
  readonly image_ref: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly state: ContainerState;
  readonly created_at: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerStatus {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly state: ContainerState;
  /** Nanoseconds since the Unix epoch; '0' when it has not happened. */
  readonly created_at: string;
  readonly started_at: string;
  readonly finished_at: string;
  readonly exit_code: number;
  readonly image: { readonly image: string } | null;
  readonly image_ref: string;
  readonly image_id: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly log_path: string;
  readonly mounts: readonly { readonly container_path: string; readonly recursive_read_only: boolean }[];
  /** The user of its first process; ids as strings. Absent if the runtime does not report it. */
  readonly user?: {
    readonly linux: { readonly uid: string; readonly gid: string; readonly supplemental_groups: readonly string[] } | null;
  } | null;
  /** The resources at present; some runtimes leave them out. */
  readonly resources?: { readonly linux: StatedResources | null } | null;
}

/** int64 as strings; '0': none. */
export interface StatedResources {
  readonly cpu_period: string;
  readonly cpu_quota: string;
  /** '': not known. */
  readonly cpu_shares: string;
  readonly memory_limit_in_bytes: string;
}

export interface ContainerEvent {
  readonly container_id: string;
  readonly container_event_type:
    | 'CONTAINER_CREATED_EVENT'
    | 'CONTAINER_STARTED_EVENT'
    | 'CONTAINER_STOPPED_EVENT'
    | 'CONTAINER_DELETED_EVENT';
  readonly pod_sandbox_status: SandboxStatus | null;
  /** Statuses of the sandbox's containers. */
  readonly containers_statuses: readonly ContainerStatus[];
}

export interface Image {
  readonly id: string;
  readonly repo_tags: readonly string[];
  readonly repo_digests: readonly string[];
  /** Bytes. */
  readonly size: string;
  readonly uid: { readonly value: string } | null;
  readonly username: string;
  readonly pinned: boolean;
}

export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly server_address?: string;
  readonly identity_token?: string;
  readonly registry_token?: string;
}

export interface RuntimeHandler {
  /** '' for the default. */
  readonly name: string;
  readonly features: { readonly recursive_read_only_mounts: boolean; readonly user_namespaces: boolean } | null;
}

export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

interface Value {
  readonly value: string;
}

interface CPUUsage {
  /** Nanoseconds since the Unix epoch. */
  readonly timestamp: string;
  readonly usage_core_nano_seconds: Value | null;
  readonly usage_nano_cores: Value | null;
}

export interface MemoryUsage {
  readonly timestamp: string;
  readonly working_set_bytes: Value | null;
  readonly available_bytes: Value | null;
  readonly usage_bytes: Value | null;
  readonly rss_bytes: Value | null;
  readonly page_faults: Value | null;
  readonly major_page_faults: Value | null;
}

export interface InterfaceUsage {
  readonly name: string;
  readonly rx_bytes: Value | null;
  readonly rx_errors: Value | null;
  readonly tx_bytes: Value | null;
  readonly tx_errors: Value | null;
}

export interface SandboxStats {
  readonly attributes: {
    readonly id: string;
    readonly metadata: SandboxMetadata;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly linux: {
    readonly cpu: CPUUsage | null;
    readonly memory: MemoryUsage | null;
    readonly network: {
      readonly timestamp: string;
      readonly default_interface: InterfaceUsage | null;
      readonly interfaces: readonly InterfaceUsage[];
    } | null;
    readonly process: { readonly process_count: Value | null } | null;
    readonly containers: readonly ContainerStats[];
  } | null;
}

export interface ContainerStats {
  readonly attributes: {
    readonly id: string;
    readonly metadata: { readonly name: string };
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly cpu: CPUUsage | null;
  readonly memory: MemoryUsage | null;
  readonly writable_layer: { readonly timestamp: string; readonly used_bytes: Value | null; readonly inodes_used: Value | null } | null;
  readonly swap: { readonly swap_available_bytes: Value | null; readonly swap_usage_bytes: Value | null } | null;
}
