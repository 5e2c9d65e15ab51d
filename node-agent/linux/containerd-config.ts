/** Where one containerd keeps everything, and what it needs to know of the node. */
export interface ContainerdPlan {
  /** Holds root, state, log and configuration. */
  readonly directory: string;
  readonly socket: string;
  readonly cniConfigDirectory: string;
  readonly cniPluginDirectory: string;
  readonly pauseImage: string;
}

const unneededPlugins = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.internal.v1.tracing',
];

/**
 * containerd's configuration, version 2, which 1.7 and 2.x read. `restrict_oom_score_adj` makes it work where the agent
 * lacks CAP_SYS_RESOURCE (in containers and small virtual machines), at the price of clamping negative scores.
 * `netns_mounts_under_state_dir` tells its network namespaces from those of others on the machine.
 */
export function containerdConfig({ directory, socket, cniConfigDirectory, cniPluginDirectory, pauseImage }: ContainerdPlan): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const runc = `${cri}.containerd.runtimes.runc`;
  const text = JSON.stringify;
  return `version = 2
root = ${text(`${directory}/root`)}
state = ${text(`${directory}/state`)}
disabled_plugins = ${text(unneededPlugins)}
[grpc]
  address = ${text(socket)}
[plugins."io.containerd.internal.v1.opt"]
  path = ${text(`${directory}/opt`)}
[${cri}]
  sandbox_image = ${text(pauseImage)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  enable_cdi = true
  cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
  [${cri}.cni]
    bin_dir = ${text(cniPluginDirectory)}
    conf_dir = ${text(cniConfigDirectory)}
  [${cri}.registry]
    config_path = ${text(`${directory}/certs.d`)}
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${runc}]
      runtime_type = "io.containerd.runc.v2"
      [${runc}.options]
        SystemdCgroup = false
        Root = ${text(`${directory}/runc`)}
`;
}
