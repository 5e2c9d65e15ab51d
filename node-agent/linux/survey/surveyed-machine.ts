/** The result of a survey of the machine: the facts that preflight checks decide on. Nothing in it was changed by looking. */
export interface SurveyedMachine {
  readonly effectiveUID: number;
  /** Bits of the effective capabilities, as `CapEff` in /proc/self/status. */
  readonly capabilities: bigint;
  /** The container runtime or the kind of container around this process; undefined outside of a container. */
  readonly container: string | undefined;
  /** Fields of /etc/os-release: ID, ID_LIKE, VERSION_ID, PRETTY_NAME. */
  readonly release: Readonly<Record<string, string>>;
  readonly hasSystemd: boolean;
  readonly hostname: string;
  /** Whether the host name has an address, by /etc/hosts, a name service of the machine, or DNS. */
  readonly hostnameResolves: boolean;
  readonly kernel: KernelFacts;
  readonly cgroups: CgroupFacts;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Lines of /proc/swaps without its heading. */
  readonly swaps: readonly string[];
  /** The soft limit of open files of this process, which its child processes inherit. */
  readonly openFiles: number;
  /** Values of /proc/sys by name with dots; absent where the kernel has no such setting. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly mounts: readonly MountFacts[];
  readonly dataDirectory: DirectoryFacts;
  readonly runDirectory: DirectoryFacts;
  readonly programs: Readonly<Record<string, ProgramFacts>>;
  /** Names of the CNI plugins in each folder that was looked into; absent: no such folder. */
  readonly cniPlugins: Readonly<Record<string, readonly string[]>>;
  /** Names of the configurations in /etc/cni/net.d. */
  readonly cniConfigurations: readonly string[];
  /** Whether the socket of the runtime that others look after is there. */
  readonly hasRuntimeSocket: boolean;
  readonly hasPauseProgram: boolean;
  /** systemd units that run, such as `firewalld.service`. */
  readonly units: readonly string[];
  readonly sockets: readonly ListeningSocket[];
  readonly routes: readonly RouteFacts[];
  readonly filter: PacketFilterFacts;
  /** Content of configuration files by path; absent where there is no such file. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether the clock follows a time server; undefined if that is unknown. */
  readonly isClockSynchronized: boolean | undefined;
  readonly nowMs: number;
}

export interface KernelFacts {
  /** The kernel's release as `uname -r` prints it. */
  readonly release: string;
  /** The content of /proc/filesystems. */
  readonly fileSystems: readonly string[];
  /** The entries of /proc/self/ns: mnt, net, pid, ... */
  readonly namespaces: readonly string[];
  readonly hasSeccomp: boolean;
  /** The names in /sys/module: loaded modules, and built-in ones that have parameters. */
  readonly loadedModules: readonly string[];
  /** Whether anything is loaded as a module now. */
  readonly isModular: boolean;
  /** Wanted modules that this kernel has on the disk; undefined where there are none for this release. */
  readonly modules: { readonly builtIn: readonly string[]; readonly loadable: readonly string[] } | undefined;
  /**
   * The needed options with their values, `CONFIG_VETH: m`; undefined if the kernel's configuration was not read, because `modules` decides
   * everything or reading takes too long.
   */
  readonly configuration: Readonly<Record<string, string>> | undefined;
  readonly enforcesSELinux: boolean;
}

export interface CgroupFacts {
  readonly version: 1 | 2 | undefined;
  /** Controllers that cgroups can be given. */
  readonly controllers: readonly string[];
  readonly isReadOnly: boolean;
}

export interface MountFacts {
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The file system of a directory, or of its nearest existing parent. */
export interface DirectoryFacts {
  readonly path: string;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  /** 0 where the file system has no fixed number. */
  readonly inodes: number;
  readonly inodesFree: number;
}

export interface ProgramFacts {
  /** Undefined where it is in no folder of PATH. */
  readonly path: string | undefined;
  /** The path of the program in a usual directory that is not in PATH. */
  readonly elsewhere?: string;
  /** The version that it reports; absent where it was not asked. */
  readonly version?: string;
  /** The reason why its version is unknown although it was asked for. */
  readonly versionProblem?: string;
}

export interface ListeningSocket {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Known for the ports that were asked for. */
  readonly owner?: { readonly pid: number; readonly command: string };
}

export interface RouteFacts {
  /** A CIDR, a single address, or `default`. */
  readonly destination: string;
  readonly device: string;
  readonly gateway?: string;
  readonly protocol: string;
}

/** A chain of nftables that packets come to from a hook of the kernel. */
export interface BaseChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string;
  readonly policy: string;
  /** The rules as `nft list chain` prints them; only of chains that drop packets which no rule accepts. */
  readonly rules?: string;
}

export interface PacketFilterFacts {
  readonly baseChains: readonly BaseChain[];
  /** `family table chain` of all chains that are not base chains. */
  readonly otherChains: readonly string[];
  /** Output of `iptables-legacy -S` where legacy tables are in use. */
  readonly legacyRules: string;
  /** Whether the kernel and nft take the rules of kubets; unknown where they could not be asked, or not in time. */
  readonly takesRules: 'yes' | 'no' | 'unknown';
  /** Why they do not, in nft's words; else empty. */
  readonly problem: string;
}
