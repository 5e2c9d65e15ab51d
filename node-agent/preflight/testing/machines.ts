import type { SurveyedMachine } from '../../linux/survey/surveyed-machine.ts';
import type { NodePlan } from '../check.ts';

const allCapabilities = 0x1ffffffffffn;
const gibibyte = 2 ** 30;
const found = (path: string, version?: string) => ({ path, ...(version === undefined ? {} : { version }) });

/** A plan of `kubets up` with all defaults. */
export const defaultPlan: NodePlan = {
  nodeName: 'node1',
  nodeDirectory: '/var/lib/kubets/node',
  hasDefaultEviction: true,
  podNetwork: 'host-gw',
  clusterCIDRs: ['10.244.0.0/16'],
  serviceCIDRs: ['10.96.0.0/12'],
  areRangesCertain: true,
  ports: [
    { port: 6443, protocol: 'tcp', on: 'all', purpose: 'the API server', flag: '--port' },
    { port: 10_250, protocol: 'tcp', on: 'all', purpose: 'the kubelet', flag: '--kubelet-port' },
    { port: 10_053, protocol: 'udp', on: 'node', purpose: 'cluster DNS' },
    { port: 10_249, protocol: 'tcp', on: 'loopback', purpose: "the Service proxy's metrics", isOptional: true },
  ],
  hasControlPlane: true,
  isJoining: false,
  bridge: 'cni0',
  cniPluginDirectories: ['/usr/lib/cni', '/opt/cni/bin'],
  failSwapOn: false,
};

/** Debian 13 from a cloud image, after the README's packages were installed and before the first start. */
export const debian13: SurveyedMachine = {
  effectiveUID: 0,
  capabilities: allCapabilities,
  container: undefined,
  release: { ID: 'debian', VERSION_ID: '13', PRETTY_NAME: 'Debian GNU/Linux 13 (trixie)' },
  hasSystemd: true,
  hostname: 'node1',
  hostnameResolves: true,
  kernel: {
    release: '6.12.118+deb13-cloud-amd64',
    fileSystems: ['sysfs', 'tmpfs', 'proc', 'cgroup2', 'mqueue', 'ext4'],
    namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'],
    hasSeccomp: true,
    loadedModules: ['virtio_net', 'nf_tables'],
    isModular: true,
    modules: {
      builtIn: ['ipv6'],
      loadable: ['overlay', 'br_netfilter', 'bridge', 'veth', 'vxlan', 'nf_conntrack', 'nf_tables', 'nft_numgen', 'nft_masq', 'nft_socket'],
    },
    configuration: undefined,
    enforcesSELinux: false,
  },
  cgroups: { version: 2, controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma'], isReadOnly: false },
  cpus: 2,
  memoryBytes: 4 * gibibyte,
  swaps: [],
  openFiles: 524_288,
  sysctls: {
    'fs.inotify.max_user_instances': '8192',
    'fs.inotify.max_user_watches': '524288',
    'net.ipv4.conf.all.rp_filter': '0',
    'net.ipv4.conf.default.rp_filter': '2',
    'net.ipv4.ip_local_port_range': '32768\t60999',
    'user.max_user_namespaces': '15542',
    'kernel.modules_disabled': '0',
  },
  mounts: [
    { point: '/', type: 'ext4', options: ['rw', 'relatime'] },
    { point: '/proc', type: 'proc', options: ['rw', 'nosuid', 'nodev', 'noexec'] },
    { point: '/run', type: 'tmpfs', options: ['rw', 'nosuid', 'nodev'] },
  ],
  dataDirectory: {
    path: '/var/lib/kubets/node',
    capacityBytes: 20 * gibibyte,
    availableBytes: 15 * gibibyte,
    inodes: 1_000_000,
    inodesFree: 900_000,
  },
  runDirectory: { path: '/run', capacityBytes: gibibyte / 2, availableBytes: gibibyte / 2, inodes: 100_000, inodesFree: 99_000 },
  programs: {
    containerd: found('/usr/bin/containerd', 'containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1'),
    'containerd-shim-runc-v2': found('/usr/bin/containerd-shim-runc-v2'),
    runc: found('/usr/sbin/runc', 'runc version 1.1.15+ds1\ncommit: 1.1.15+ds1-2+deb13u1\nspec: 1.2.0'),
    nft: found('/usr/sbin/nft', 'nftables v1.1.3 (Commodore Bullmoose #4)'),
    ip: found('/usr/sbin/ip'),
    conntrack: found('/usr/sbin/conntrack'),
    iptables: found('/usr/sbin/iptables'),
    modprobe: found('/usr/sbin/modprobe'),
    mount: found('/usr/bin/mount'),
    umount: found('/usr/bin/umount'),
    nsenter: found('/usr/bin/nsenter'),
  },
  cniPlugins: { '/usr/lib/cni': ['bandwidth', 'bridge', 'host-local', 'loopback', 'portmap'] },
  cniConfigurations: [],
  hasRuntimeSocket: false,
  hasPauseProgram: true,
  units: ['cron.service', 'ssh.service', 'systemd-journald.service', 'systemd-timesyncd.service'],
  sockets: [{ protocol: 'tcp', address: '0.0.0.0', port: 22 }],
  routes: [
    { destination: 'default', device: 'eth0', gateway: '192.0.2.1', protocol: 'dhcp' },
    { destination: '192.0.2.0/24', device: 'eth0', protocol: 'kernel' },
  ],
  filter: { baseChains: [], otherChains: [], legacyRules: '', takesRules: 'yes', problem: '' },
  files: { '/etc/resolv.conf': 'nameserver 192.0.2.3' },
  isClockSynchronized: true,
  nowMs: Date.parse('2026-11-30T12:00:00Z'),
};

/** A server image of Ubuntu 24.04: systemd-resolved, systemd-networkd, AppArmor's restriction, `snap`. */
export const ubuntu2404: SurveyedMachine = {
  ...debian13,
  release: { ID: 'ubuntu', ID_LIKE: 'debian', VERSION_ID: '24.04', PRETTY_NAME: 'Ubuntu 24.04.3 LTS' },
  kernel: { ...debian13.kernel, release: '6.8.0-71-generic' },
  sysctls: { ...debian13.sysctls, 'kernel.apparmor_restrict_unprivileged_userns': '1', 'fs.inotify.max_user_instances': '128' },
  programs: {
    ...debian13.programs,
    containerd: found('/usr/bin/containerd', 'containerd github.com/containerd/containerd 1.7.28 '),
    runc: found('/usr/sbin/runc', 'runc version 1.3.3-0ubuntu1~24.04.3\nspec: 1.2.1'),
    nft: found('/usr/sbin/nft', 'nftables v1.0.9 (Old Doc Yak #3)'),
  },
  units: ['snapd.service', 'systemd-networkd.service', 'systemd-resolved.service', 'systemd-timesyncd.service'],
  files: {
    '/etc/resolv.conf': 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.org',
    '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.3\nsearch example.org',
    '/etc/ufw/ufw.conf': 'ENABLED=no\nLOGLEVEL=low',
  },
};

/** A Fedora-like server: SELinux, firewalld, NetworkManager, chrony, plugins in /usr/libexec/cni. */
export const fedora: SurveyedMachine = {
  ...debian13,
  release: { ID: 'rocky', ID_LIKE: 'rhel centos fedora', VERSION_ID: '10.0', PRETTY_NAME: 'Rocky Linux 10.0' },
  kernel: { ...debian13.kernel, release: '6.12.0-55.el10.x86_64', enforcesSELinux: true },
  units: ['NetworkManager.service', 'chronyd.service', 'firewalld.service'],
  cniPlugins: {},
};

/** A virtual machine whose kernel has everything built in: no modules, no systemd, control groups of version 1. */
export const firecracker: SurveyedMachine = {
  ...debian13,
  hasSystemd: false,
  kernel: {
    ...debian13.kernel,
    release: '6.18.44',
    fileSystems: [...debian13.kernel.fileSystems, 'cgroup', 'overlay'],
    loadedModules: ['bridge', 'nf_conntrack', 'overlay', 'vxlan'],
    isModular: false,
    modules: undefined,
    configuration: { CONFIG_OVERLAY_FS: 'y', CONFIG_BRIDGE_NETFILTER: 'y', CONFIG_VETH: 'y', CONFIG_VXLAN: 'y', CONFIG_NF_TABLES: 'y' },
  },
  cgroups: {
    version: 1,
    controllers: ['cpuset', 'cpu', 'cpuacct', 'blkio', 'memory', 'devices', 'freezer', 'hugetlb', 'pids'],
    isReadOnly: false,
  },
  sysctls: { ...debian13.sysctls, 'net.bridge.bridge-nf-call-iptables': '1', 'net.netfilter.nf_conntrack_max': '262144' },
  units: [],
  isClockSynchronized: undefined,
};
