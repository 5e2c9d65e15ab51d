import type {
  AuthConfig,
  ContainerConfig,
  ContainerEvent,
  ContainerStats,
  ContainerStatus,
  Image,
  LinuxResources,
  ListedContainer,
  RuntimeCondition,
  RuntimeHandler,
  Sandbox,
  SandboxConfig,
  SandboxStats,
  SandboxStatus,
} from './messages.ts';

export interface RuntimeCapabilities {
  /** The runtime handlers with their features; older runtimes report none. */
  readonly handlers: readonly RuntimeHandler[];
  /** Whether it can leave out the groups of an image's user, and reports the user of containers. */
  readonly supplementalGroupsPolicy: boolean;
}

/** `CGROUPFS`: the runtime makes the cgroups itself. `SYSTEMD`: systemd makes them, and they are named as slices. */
export type CgroupDriver = 'SYSTEMD' | 'CGROUPFS';

/** The agent's interface to a container runtime. Every failure is a CRIError. Timeouts in seconds, as on the wire. */
export interface ContainerRuntime {
  version(): Promise<{ readonly runtime_name: string; readonly runtime_version: string; readonly runtime_api_version: string }>;
  /** `containerd`, `cri-o`, `docker`: the prefix of the ids of its containers. Asked for once. */
  name(): Promise<string>;
  status(): Promise<readonly RuntimeCondition[]>;
  /** The runtime's capabilities, as far as it reports them. */
  capabilities(): Promise<RuntimeCapabilities>;
  /** The driver by which the runtime makes cgroups; undefined if it does not report it. */
  cgroupDriver(): Promise<CgroupDriver | undefined>;
  runPodSandbox(config: SandboxConfig, runtimeHandler: string): Promise<string>;
  /** Ends everything that runs in it, at once, and gives its network back. */
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  podSandboxStatus(id: string): Promise<SandboxStatus>;
  listPodSandboxes(labels?: Readonly<Record<string, string>>): Promise<readonly Sandbox[]>;
  createContainer(sandboxID: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** SIGTERM (or the image's signal), then SIGKILL after `graceSeconds`. Resolves when the container has stopped. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(labels?: Readonly<Record<string, string>>): Promise<readonly ListedContainer[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  /** Called after the log file was renamed: the container continues in a new one. */
  reopenContainerLog(id: string): Promise<void>;
  updateContainerResources(id: string, resources: LinuxResources): Promise<void>;
  /** Runs a command to its end. `timeoutSeconds` 0: no limit; a command that takes longer fails with DEADLINE_EXCEEDED. */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  /** The next three return a URL of the runtime's streaming server, which can be used once. */
  exec(id: string, command: readonly string[], streams: StreamFlags): Promise<string>;
  attach(id: string, streams: StreamFlags): Promise<string>;
  portForward(sandboxID: string, ports: readonly number[]): Promise<string>;
  /** Usage of all Pods, their containers included. */
  listPodSandboxStats(): Promise<readonly SandboxStats[]>;
  /** Usage of all containers. */
  listContainerStats(): Promise<readonly ContainerStats[]>;
  /** Changes of sandboxes and containers from now on; throws when the connection breaks. */
  containerEvents(signal: AbortSignal): AsyncIterable<ContainerEvent>;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exit_code: number;
}

interface StreamFlags {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface ImageFileSystem {
  readonly mountpoint: string;
  readonly usedBytes: number;
  readonly inodesUsed: number;
  readonly layersMountpoint?: string;
}

export interface ImageStore {
  listImages(): Promise<readonly Image[]>;
  /** Undefined if there is no such image. */
  imageStatus(image: string): Promise<Image | undefined>;
  /** Returns the reference by which the runtime knows the image. */
  pullImage(image: string, auth: AuthConfig | undefined, sandbox: SandboxConfig | undefined): Promise<string>;
  removeImage(image: string): Promise<void>;
  /** The bytes and inodes used by image layers, and their path; the path of writable layers, if it is reported. */
  imageFileSystem(): Promise<ImageFileSystem | undefined>;
}
