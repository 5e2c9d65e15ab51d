import type { CgroupDriver } from '../cgroups/cgroup-names.ts';

/** The directories of a containerd, and the facts of the node that its configuration needs. */
export interface ContainerdPlan {
  /** Holds root, state, log and configuration. */
  readonly directory: string;
  readonly socket: string;
  readonly cniConfigDirectory: string;
  readonly cniPluginDirectory: string;
  readonly pauseImage: string;
  readonly cgroupDriver: CgroupDriver;
}

export interface ContainerdVersion {
  readonly major: number;
  readonly minor: number;
}

/** The machine's limits on containerd and containers. */
interface ContainerMachine {
  readonly hasAppArmor: boolean;
  /** Whether processes may be given a score below that of containerd's own, see oom-score.ts. */
  readonly mayLowerOOMScores: boolean;
  /** The program that shims run in place of runc, see patient-runc.ts. */
  readonly patientRunc?: string | undefined;
}

const noFeatures: ContainerMachine = { hasAppArmor: false, mayLowerOOMScores: false };

const unneededPlugins = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.internal.v1.tracing',
];

/** Reads the output of `containerd --version`: name, package, version, revision. Throws where no version is in it. */
export function parseContainerdVersion(output: string): ContainerdVersion {
  const [, major, minor] = /\sv?(\d+)\.(\d+)\.\d+/.exec(output) ?? [];
  if (major === undefined || minor === undefined) throw new Error(`no version is in what containerd says of itself: ${output.trim()}`);
  return { major: Number(major), minor: Number(minor) };
}

/**
 * containerd's configuration in the form that this version has for its own: 2 up to 1.7, 3 from 2.0 on, which names plugins
 * anew and is the older form's successor in all that follow. `restrict_oom_score_adj` makes it work where scores of the OOM
 * killer cannot be lowered, at the price of raising negative ones to containerd's own. `netns_mounts_under_state_dir` tells its network namespaces from those of others on the machine.
 */
export function containerdConfig(plan: ContainerdPlan, version: ContainerdVersion, machine: ContainerMachine = noFeatures): string {
  return version.major < 2 ? configVersion2(plan, machine) : configVersion3(plan, version, machine);
}

const text = JSON.stringify;

/**
 * The time that containerd gives a shim to answer. By its defaults (5 and 2 s) a busy machine loses healthy containers: a
 * shim that is slow to answer while containerd starts is taken for dead and its container is killed, and a container that is
 * made while its sandbox's shim is slow gets the namespaces of process 0, which there are none of.
 */
const timeouts = { 'io.containerd.timeout.shim.load': '60s', 'io.containerd.timeout.task.state': '15s' };

function beginning(version: 2 | 3, { directory, socket }: ContainerdPlan): string {
  return `version = ${version}
root = ${text(`${directory}/root`)}
state = ${text(`${directory}/state`)}
disabled_plugins = ${text(unneededPlugins)}
[grpc]
  address = ${text(socket)}
[timeouts]
${Object.entries(timeouts)
  .map(([name, time]) => `  ${text(name)} = ${text(time)}\n`)
  .join('')}[plugins."io.containerd.internal.v1.opt"]
  path = ${text(`${directory}/opt`)}
`;
}

const streamServer = `  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
`;

const containerRules = ({ hasAppArmor, mayLowerOOMScores }: ContainerMachine) => `  disable_apparmor = ${!hasAppArmor}
  restrict_oom_score_adj = ${!mayLowerOOMScores}
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  enable_cdi = true
  cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
`;

/** The runtime handlers, of which there is one. */
function runtimes(table: string, { directory, cgroupDriver }: ContainerdPlan, { patientRunc }: ContainerMachine): string {
  return `    [${table}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${table}.containerd.runtimes.runc.options]
${patientRunc === undefined ? '' : `        BinaryName = ${text(patientRunc)}\n`}        SystemdCgroup = ${cgroupDriver === 'systemd'}
        Root = ${text(`${directory}/runc`)}
`;
}

function configVersion2(plan: ContainerdPlan, machine: ContainerMachine): string {
  const { directory, cniConfigDirectory, cniPluginDirectory, pauseImage } = plan;
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `${beginning(2, plan)}[${cri}]
  sandbox_image = ${text(pauseImage)}
${streamServer}${containerRules(machine)}  [${cri}.cni]
    bin_dir = ${text(cniPluginDirectory)}
    conf_dir = ${text(cniConfigDirectory)}
  [${cri}.registry]
    config_path = ${text(`${directory}/certs.d`)}
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
${runtimes(cri, plan, machine)}`;
}

function configVersion3(plan: ContainerdPlan, { major, minor }: ContainerdVersion, machine: ContainerMachine): string {
  const { directory, cniConfigDirectory, cniPluginDirectory, pauseImage } = plan;
  const [images, runtime] = ['plugins."io.containerd.cri.v1.images"', 'plugins."io.containerd.cri.v1.runtime"'];
  const hasSeveral = major > 2 || minor >= 1; // folders of plugins; the name for one of them is on its way out
  return `${beginning(3, plan)}[plugins."io.containerd.grpc.v1.cri"]
${streamServer}[${images}]
  snapshotter = "overlayfs"
  [${images}.pinned_images]
    sandbox = ${text(pauseImage)}
  [${images}.registry]
    config_path = ${text(`${directory}/certs.d`)}
[${runtime}]
${containerRules(machine)}  [${runtime}.cni]
    ${hasSeveral ? `bin_dirs = ${text([cniPluginDirectory])}` : `bin_dir = ${text(cniPluginDirectory)}`}
    conf_dir = ${text(cniConfigDirectory)}
  [${runtime}.containerd]
    default_runtime_name = "runc"
${runtimes(runtime, plan, machine)}`;
}

/** The driver that a configuration was written for. */
export function configuredDriver(config: string): CgroupDriver {
  return /^\s*SystemdCgroup = true$/m.test(config) ? 'systemd' : 'cgroupfs';
}
