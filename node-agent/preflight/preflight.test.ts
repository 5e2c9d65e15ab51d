import assert from 'node:assert/strict';
import type { SurveyedMachine } from '../linux/survey/surveyed-machine.ts';
import type { Finding, NodePlan } from './check.ts';
import { checks } from './checks.ts';
import { checkMachine } from './preflight.ts';
import { debian13, defaultPlan, fedora, firecracker, ubuntu2404 } from './testing/machines.ts';

const told = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== 'ok').map(({ level, name }) => `${level} ${name}`);

describe('preflight of whole machines', () => {
  const cases: readonly (readonly [name: string, machine: SurveyedMachine, expected: readonly string[]])[] = [
    ['Debian 13', debian13, []],
    ['Ubuntu 24.04', ubuntu2404, ['advice Limits', 'advice UserNamespaces', 'advice Networkd']],
    ['a Fedora-like machine', fedora, ['error CNIPlugins', 'warning Firewalld', 'warning NetworkManager', 'warning SELinux']],
    ['a kernel with everything built in', firecracker, ['advice Cgroups']],
  ];
  for (const [name, machine, expected] of cases) it(name, () => assert.deepEqual(told(checkMachine(machine, defaultPlan)), expected));

  it('every check says something of a sound machine, and every trouble has a remedy', () => {
    for (const check of checks) assert.ok(check.run(debian13, defaultPlan).length > 0, check.name);
    for (const [, machine] of cases)
      for (const { level, name, remedy } of checkMachine(machine, defaultPlan)) assert.equal(remedy === undefined, level === 'ok', name);
  });
});

interface Case {
  readonly what: string;
  readonly machine?: Partial<SurveyedMachine>;
  readonly plan?: Partial<NodePlan>;
  readonly expected: readonly string[];
  /** In one of the messages or remedies. */
  readonly says?: RegExp;
}

const { kernel, cgroups, sysctls, filter, programs } = debian13;
const dropping = { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' };
const defaultRoute = { destination: 'default', device: 'eth0', gateway: '10.0.0.1', protocol: 'dhcp' };
const data = debian13.dataDirectory;
const onDisk = (type: string, options: readonly string[] = ['rw']) => ({
  mounts: [
    { point: '/', type: 'ext4', options: ['rw'] },
    { point: '/var', type, options },
  ],
});

const cases: readonly Case[] = [
  { what: 'not root', machine: { effectiveUID: 1000 }, expected: ['error IsPrivilegedUser'] },
  {
    what: 'a container without rights',
    machine: { capabilities: 0xa80425fbn, container: 'docker' },
    expected: [
      'error IsPrivilegedUser',
      'error KernelModule-overlay',
      'error KernelModule-br_netfilter',
      'error KernelModule-nf_conntrack',
      'error KernelModule-veth',
      'error KernelModule-bridge',
    ],
    says: /lacks CAP_NET_ADMIN, CAP_SYS_ADMIN/,
  },
  { what: 'a container with all rights', machine: { container: 'docker' }, expected: ['warning Container'] },
  { what: 'an old kernel', machine: { kernel: { ...kernel, release: '5.10.0-8' } }, expected: ['warning SystemVerification'] },
  { what: 'an ancient kernel', machine: { kernel: { ...kernel, release: '4.18.0-553' } }, expected: ['error SystemVerification'] },
  {
    what: 'a kernel without a module',
    machine: {
      kernel: {
        ...kernel,
        configuration: undefined,
        modules: { builtIn: [], loadable: kernel.modules?.loadable.filter((name) => name !== 'br_netfilter') ?? [] },
      },
    },
    expected: ['error KernelModule-br_netfilter'],
    says: /Services between Pods of one node/,
  },
  {
    what: 'a kernel that was upgraded under its feet',
    machine: {
      kernel: {
        ...kernel,
        modules: undefined,
        configuration: { CONFIG_BRIDGE_NETFILTER: 'm', CONFIG_VETH: 'm', CONFIG_NF_CONNTRACK: 'y', CONFIG_BRIDGE: 'y' },
        fileSystems: [...kernel.fileSystems, 'overlay'],
      },
    },
    expected: ['error KernelModule-br_netfilter', 'error KernelModule-veth'],
    says: /restart the machine/,
  },
  {
    what: 'a kernel that tells nothing',
    machine: { kernel: { ...kernel, modules: undefined, configuration: undefined, isModular: false } },
    expected: [],
  },
  {
    what: 'a kernel whose files are gone',
    machine: {
      kernel: {
        ...kernel,
        modules: undefined,
        configuration: undefined,
        loadedModules: ['overlay', 'nf_conntrack', 'bridge', 'nf_tables'],
      },
    },
    expected: ['warning KernelModule-br_netfilter', 'warning KernelModule-veth'],
    says: /restart the machine/,
  },
  {
    what: 'no modprobe',
    machine: {
      programs: { ...programs, modprobe: { path: undefined } },
      sysctls: { ...sysctls, 'net.bridge.bridge-nf-call-iptables': '1', 'net.netfilter.nf_conntrack_max': '1' },
    },
    expected: ['error KernelModule-overlay', 'error KernelModule-veth'],
    says: /apt-get install -y --no-install-recommends kmod/,
  },
  {
    what: 'vxlan without the module',
    machine: {
      kernel: {
        ...kernel,
        configuration: undefined,
        modules: { builtIn: [], loadable: kernel.modules?.loadable.filter((name) => name !== 'vxlan') ?? [] },
      },
    },
    plan: { podNetwork: 'vxlan' },
    expected: ['error KernelModule-vxlan'],
  },
  {
    what: 'a Raspberry Pi without the memory controller',
    machine: { cgroups: { ...cgroups, controllers: ['cpuset', 'cpu', 'io', 'hugetlb', 'pids'] } },
    expected: ['error Cgroups-memory'],
    says: /cgroup_enable=memory/,
  },
  {
    what: 'no control groups',
    machine: { cgroups: { version: undefined, controllers: [], isReadOnly: false } },
    expected: ['error Cgroups'],
  },
  {
    what: 'programs that are missing',
    machine: { programs: { ...programs, runc: { path: undefined }, conntrack: { path: undefined } }, release: { ID: 'fedora' } },
    expected: ['error FileExisting-runc', 'error FileExisting-conntrack'],
    says: /dnf install -y conntrack-tools/,
  },
  {
    what: "su without '-'",
    machine: { programs: { ...programs, nft: { path: undefined, elsewhere: '/usr/sbin/nft' } } },
    expected: ['error FileExisting-nft'],
    says: /su -/,
  },
  {
    what: 'iptables out of reach',
    machine: { programs: { ...programs, iptables: { path: undefined, elsewhere: '/usr/sbin/iptables' } } },
    expected: ['warning FileExisting-iptables'],
  },
  {
    what: 'a runtime that others look after needs no containerd',
    machine: {
      programs: { ...programs, containerd: { path: undefined }, runc: { path: undefined } },
      hasRuntimeSocket: true,
      hasPauseProgram: false,
    },
    plan: { runtimeEndpoint: 'unix:///run/crio/crio.sock' },
    expected: [],
  },
  {
    what: 'a runtime that has another network already',
    machine: { hasRuntimeSocket: true, cniConfigurations: ['05-cilium.conflist', '10-kubets.conflist', '87-podman-bridge.conflist'] },
    plan: { runtimeEndpoint: 'unix:///run/crio/crio.sock' },
    expected: ['warning CNIConfiguration'],
    says: /05-cilium/,
  },
  { what: 'a runtime that does not run', plan: { runtimeEndpoint: 'unix:///run/crio/crio.sock' }, expected: ['error CRI'] },
  {
    what: 'an old containerd',
    machine: {
      programs: {
        ...programs,
        containerd: { path: '/usr/bin/containerd', version: 'containerd github.com/containerd/containerd v1.5.9 1407cab' },
      },
    },
    expected: ['error ProgramVersion-containerd'],
  },
  {
    what: 'a program that takes too long to say its version',
    machine: { programs: { ...programs, runc: { path: '/usr/sbin/runc', versionProblem: 'has not answered in time' } } },
    expected: ['warning ProgramVersion-runc'],
    says: /version of runc is not known: \/usr\/sbin\/runc has not answered in time/,
  },
  {
    what: 'a program that says something else than its version',
    machine: { programs: { ...programs, nft: { path: '/usr/sbin/nft', version: 'who knows' } } },
    expected: ['warning ProgramVersion-nft'],
    says: /\/usr\/sbin\/nft says "who knows"/,
  },
  {
    what: 'nft of Debian 12',
    machine: { programs: { ...programs, nft: { path: '/usr/sbin/nft', version: 'nftables v1.0.6 (Lester Gooch #5)' } } },
    expected: ['warning ProgramVersion-nft'],
    says: /nft 1\.0\.6 is older than 1\.0\.7/,
  },
  {
    what: "docker's containerd 2",
    machine: {
      programs: { ...programs, containerd: { path: '/usr/bin/containerd', version: 'containerd containerd.io v2.1.4 75cb2b7193' } },
      cniPlugins: { '/opt/cni/bin': ['bridge', 'host-local', 'loopback', 'portmap'] },
    },
    expected: [],
  },
  { what: 'no CNI plugins', machine: { cniPlugins: {} }, expected: ['error CNIPlugins'] },
  {
    what: 'a network plugin to come',
    machine: { cniPlugins: {} },
    plan: { podNetwork: 'external' },
    expected: ['warning CNIConfiguration'],
  },
  {
    what: 'two network plugins',
    machine: { cniConfigurations: ['10-calico.conflist', '10-flannel.conflist'] },
    plan: { podNetwork: 'external' },
    expected: ['warning CNIConfiguration'],
  },
  {
    what: 'rules that nft does not understand',
    machine: { filter: { ...filter, takesRules: 'no', problem: 'nft --check -f -: Error: syntax error' } },
    expected: ['error NFTables'],
  },
  {
    what: 'ports in use',
    machine: {
      sockets: [
        { protocol: 'tcp', address: '::', port: 6443, owner: { pid: 7, command: '/usr/local/bin/k3s server' } },
        {
          protocol: 'tcp',
          address: '0.0.0.0',
          port: 10_250,
          owner: { pid: 8, command: 'node /root/kubets/node-agent/main.ts --data-dir x' },
        },
        { protocol: 'udp', address: '127.0.0.1', port: 10_053 },
        { protocol: 'tcp', address: '127.0.0.1', port: 10_249 },
        { protocol: 'tcp', address: '0.0.0.0', port: 32_000 },
      ],
    },
    expected: ['error Port-6443', 'warning Port-10249', 'warning NodePorts'],
    says: /k3s \(process 7\)/,
  },
  {
    what: 'connections that use ports of Services',
    machine: { sysctls: { ...sysctls, 'net.ipv4.ip_local_port_range': '1024 65535' } },
    expected: ['advice NodePorts'],
  },
  { what: 'a full disk', machine: { dataDirectory: { ...data, availableBytes: 2 ** 20 } }, expected: ['warning DiskSpace'] },
  {
    what: 'a disk that is almost full',
    machine: { dataDirectory: { ...data, availableBytes: data.capacityBytes * 0.12 } },
    expected: ['warning DiskSpace'],
  },
  { what: 'no inodes', machine: { dataDirectory: { ...data, inodesFree: 10_000 } }, expected: ['warning DiskInodes'] },
  { what: 'a file system without a number of inodes', machine: { dataDirectory: { ...data, inodes: 0, inodesFree: 0 } }, expected: [] },
  {
    what: 'a full /run',
    machine: { runDirectory: { ...debian13.runDirectory, availableBytes: 1000 } },
    expected: ['warning RunDirectory'],
  },
  { what: 'an overlay', machine: onDisk('overlay'), expected: ['error DataFileSystem'] },
  {
    what: 'an overlay below a runtime that others look after',
    machine: { ...onDisk('overlay'), hasRuntimeSocket: true },
    plan: { runtimeEndpoint: 'unix:///x' },
    expected: [],
  },
  { what: 'memory', machine: onDisk('tmpfs'), expected: ['warning DataFileSystem'] },
  { what: 'zfs', machine: onDisk('zfs'), expected: ['warning DataFileSystem'] },
  { what: 'a read-only disk', machine: onDisk('ext4', ['ro']), expected: ['error DataFileSystem'] },
  {
    what: 'a noexec disk',
    machine: onDisk('ext4', ['rw', 'noexec', 'nosuid']),
    expected: ['warning DataFileSystem', 'advice DataFileSystem'],
  },
  { what: 'a small machine', machine: { memoryBytes: 2 ** 29, cpus: 1 }, expected: ['warning Mem', 'advice NumCPU'] },
  { what: 'a tiny machine', machine: { memoryBytes: 2 ** 28 }, expected: ['error Mem'] },
  {
    what: 'a small machine that is only a node',
    machine: { memoryBytes: 2 ** 29, cpus: 1 },
    plan: { hasControlPlane: false },
    expected: [],
  },
  { what: 'swap', machine: { swaps: ['/dev/sda2 partition 999420 0 -2'] }, expected: [] },
  {
    what: 'swap that is to fail',
    machine: { swaps: ['/dev/sda2 partition 999420 0 -2'] },
    plan: { failSwapOn: true },
    expected: ['error Swap'],
  },
  {
    what: 'swap with control groups of version 1',
    machine: {
      swaps: ['/dev/sda2 partition 999420 0 -2'],
      cgroups: { ...cgroups, version: 1, controllers: [...cgroups.controllers, 'blkio'] },
    },
    expected: ['advice Cgroups', 'warning Swap'],
  },
  { what: 'few files', machine: { openFiles: 1024 }, expected: ['warning Limits'] },
  {
    what: 'no user namespaces',
    machine: { sysctls: { ...sysctls, 'user.max_user_namespaces': '0' } },
    expected: ['warning UserNamespaces'],
  },
  { what: 'a name with an underscore', plan: { nodeName: 'my_node' }, expected: ['error Hostname'] },
  { what: 'a name that is too long', plan: { nodeName: `a.${'b'.repeat(63)}` }, expected: ['error Hostname'] },
  { what: 'a name without an address', machine: { hostnameResolves: false }, expected: ['advice Hostname'] },
  { what: 'a clock of 1970', machine: { nowMs: 1000 }, expected: ['error Clock'] },
  { what: 'a clock that follows nobody', machine: { isClockSynchronized: false }, expected: ['warning Clock'] },
  { what: 'a clock behind', plan: { serverAheadMs: 42_000 }, expected: ['warning Clock'], says: /42 s behind the API server's/ },
  { what: 'a clock an hour ahead', plan: { serverAheadMs: -3_600_000 }, expected: ['error Clock'], says: /3600 s ahead of/ },
  {
    what: 'only a resolver on loopback',
    machine: { files: { '/etc/resolv.conf': 'nameserver 127.0.0.53' } },
    expected: ['warning DNS'],
    says: /resolv-conf=FILE/,
  },
  { what: 'no resolver', machine: { files: {} }, expected: ['warning DNS'] },
  {
    what: 'Services in the network of the machine',
    machine: { routes: [defaultRoute, { destination: '10.100.0.0/16', device: 'eth0', protocol: 'kernel' }] },
    expected: ['warning AddressRanges'],
    says: /--service-cidr/,
  },
  {
    what: 'Pods in the network of the machine',
    machine: { routes: [defaultRoute, { destination: '10.244.0.0/16', device: 'eth0', protocol: 'kernel' }] },
    expected: ['error AddressRanges'],
    says: /--cluster-cidr/,
  },
  {
    what: 'a bridge of other programs in the range of Pods',
    machine: { routes: [defaultRoute, { destination: '10.244.7.0/24', device: 'docker0', protocol: 'kernel' }] },
    expected: ['warning AddressRanges'],
  },
  {
    what: 'the same before the ranges are known',
    machine: { routes: [defaultRoute, { destination: '10.100.0.0/16', device: 'eth0', protocol: 'kernel' }] },
    plan: { areRangesCertain: false },
    expected: ['warning AddressRanges'],
  },
  {
    what: 'a VPN within the range of Pods',
    machine: { routes: [{ destination: '10.0.0.0/8', device: 'wg0', protocol: 'static' }] },
    expected: ['warning AddressRanges', 'warning AddressRanges'],
  },
  {
    what: 'routes of an earlier start',
    machine: {
      routes: [
        { destination: '10.244.0.0/24', device: 'cni0', protocol: 'kernel' },
        { destination: '10.244.1.0/24', device: 'eth0', gateway: '192.0.2.16', protocol: '107' },
      ],
    },
    expected: [],
  },
  { what: 'another Kubernetes', machine: { units: ['k3s.service', 'systemd-timesyncd.service'] }, expected: ['warning OtherKubernetes'] },
  {
    what: 'what another has left',
    machine: { filter: { ...filter, otherChains: ['ip nat KUBE-SERVICES'] } },
    expected: ['warning OtherRules'],
  },
  {
    what: 'firewalld',
    machine: { units: ['firewalld.service'] },
    expected: ['warning Firewalld'],
    says: /--zone=trusted --add-source=10\.244\.0\.0\/16/,
  },
  {
    what: 'firewalld that knows Pods',
    machine: {
      units: ['firewalld.service'],
      files: { ...debian13.files, '/etc/firewalld/zones/trusted.xml': '<zone><source address="10.244.0.0/16"/></zone>' },
    },
    expected: [],
  },
  {
    what: 'ufw',
    machine: { files: { ...debian13.files, '/etc/ufw/ufw.conf': 'ENABLED=yes' }, filter: { ...filter, baseChains: [dropping] } },
    expected: ['warning UFW'],
    says: /ufw route allow from 10\.244\.0\.0\/16/,
  },
  {
    what: 'ufw that lets Pods pass',
    machine: {
      files: {
        ...debian13.files,
        '/etc/ufw/ufw.conf': 'ENABLED=yes',
        '/etc/ufw/user.rules': '### tuple ### route:allow any any 0.0.0.0/0 any 10.244.0.0/16 in',
      },
    },
    expected: [],
  },
  {
    what: 'Docker',
    machine: { filter: { ...filter, baseChains: [dropping], otherChains: ['ip filter DOCKER-USER'] } },
    expected: ['warning ForwardPolicy'],
    says: /iptables -I DOCKER-USER -i cni0 -j ACCEPT/,
  },
  {
    what: 'Docker told to let Pods pass',
    machine: {
      filter: { ...filter, baseChains: [{ ...dropping, rules: 'iifname "cni0" counter accept' }], otherChains: ['ip filter DOCKER-USER'] },
    },
    expected: [],
  },
  {
    what: 'Docker beside several nodes',
    machine: { filter: { ...filter, baseChains: [dropping], otherChains: ['ip filter DOCKER-USER'] } },
    plan: { bridge: 'kubets-*' },
    expected: ['warning ForwardPolicy'],
    says: /iptables -I DOCKER-USER -i kubets-\+ -j ACCEPT/,
  },
  {
    what: 'Docker and a network plugin',
    machine: { filter: { ...filter, baseChains: [dropping] }, cniConfigurations: ['05-cilium.conflist'] },
    plan: { podNetwork: 'external' },
    expected: [],
  },
  {
    what: 'a firewall of nftables by hand',
    machine: { filter: { ...filter, baseChains: [{ ...dropping, family: 'inet', name: 'forward' }] } },
    expected: ['warning ForwardPolicy'],
    says: /nft insert rule inet filter forward iifname "cni0" accept/,
  },
  {
    what: 'an input chain that drops',
    machine: { filter: { ...filter, baseChains: [{ family: 'inet', table: 'filter', name: 'input', hook: 'input', policy: 'drop' }] } },
    expected: ['warning InputPolicy'],
  },
  {
    what: 'legacy rules',
    machine: { filter: { ...filter, legacyRules: '-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-A INPUT -s 192.0.2.9/32 -j DROP' } },
    expected: ['warning IptablesLegacy'],
  },
  {
    what: 'legacy rules that drop',
    machine: { filter: { ...filter, legacyRules: '-P INPUT ACCEPT\n-P FORWARD DROP' } },
    expected: ['warning ForwardPolicy'],
  },
  {
    what: 'a strict reverse path',
    machine: { sysctls: { ...sysctls, 'net.ipv4.conf.all.rp_filter': '1' } },
    expected: ['advice ReversePathFilter'],
  },
  {
    what: 'NetworkManager that was told',
    machine: {
      units: ['NetworkManager.service'],
      files: {
        ...debian13.files,
        '/etc/NetworkManager/conf.d/kubets.conf': '[keyfile]\nunmanaged-devices=interface-name:cni0;interface-name:veth*',
      },
    },
    expected: [],
  },
  {
    what: 'systemd-networkd that was told',
    machine: {
      units: ['systemd-networkd.service'],
      files: { ...debian13.files, '/etc/systemd/networkd.conf.d/kubets.conf': '[Network]\nManageForeignRoutes=no' },
    },
    expected: [],
  },
];

describe('preflight checks on Debian 13 with', () => {
  for (const { what, machine, plan, expected, says } of cases)
    it(what, () => {
      const findings = checkMachine({ ...debian13, ...machine }, { ...defaultPlan, ...plan });
      assert.deepEqual(told(findings), expected);
      if (says !== undefined) assert.match(findings.map(({ message, remedy }) => `${message} ${remedy}`).join('\n'), says);
    });
});
