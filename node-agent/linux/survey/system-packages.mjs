// Packages of the distribution that a node needs, by name. Plain JavaScript, since it is also read before there
// is a Node that takes TypeScript (server/cli/bootstrap.mjs).

/** A package is there if one of its files is. */
export const systemPackages = [
  { apt: 'containerd', files: ['/usr/bin/containerd', '/usr/local/bin/containerd'] },
  { apt: 'runc', files: ['/usr/sbin/runc', '/usr/bin/runc', '/usr/local/sbin/runc', '/usr/local/bin/runc'] },
  {
    ...{ apt: 'containernetworking-plugins', zypper: 'cni-plugins', pacman: 'cni-plugins' },
    files: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge', '/usr/libexec/cni/bridge'],
  },
  { apt: 'nftables', files: ['/usr/sbin/nft', '/usr/bin/nft'] },
  { apt: 'iptables', dnf: 'iptables-nft', files: ['/usr/sbin/iptables', '/usr/bin/iptables'] },
  { apt: 'iproute2', dnf: 'iproute', files: ['/usr/sbin/ip', '/usr/bin/ip'] },
  {
    ...{ apt: 'conntrack', dnf: 'conntrack-tools', zypper: 'conntrack-tools', pacman: 'conntrack-tools' },
    files: ['/usr/sbin/conntrack', '/usr/bin/conntrack'],
  },
  { apt: 'catatonit', files: ['/usr/bin/catatonit'] },
  { apt: 'procps', dnf: 'procps-ng', pacman: 'procps-ng', files: ['/usr/bin/ps', '/bin/ps'] },
  { apt: 'kmod', files: ['/usr/sbin/modprobe', '/sbin/modprobe', '/usr/bin/modprobe'] },
  { apt: 'mount', dnf: 'util-linux-core', zypper: 'util-linux', pacman: 'util-linux', files: ['/usr/bin/mount', '/bin/mount'] },
];

const installCommands = {
  apt: 'apt-get install -y --no-install-recommends',
  dnf: 'dnf install -y',
  zypper: 'zypper install -y',
  pacman: 'pacman -S --needed',
};

/** Fields of /etc/os-release. */
export function parseRelease(text) {
  return Object.fromEntries([...text.matchAll(/^([A-Z_]+)=["']?(.*?)["']?$/gm)].map(([, name, value]) => [name, value]));
}

/** The distribution's way to install packages, by ID and ID_LIKE of /etc/os-release; undefined for one that is not known. */
export function packageManagerOf({ ID = '', ID_LIKE: like = '' }) {
  const names = [ID, ...like.split(' ')];
  const isOne = (...known) => names.some((name) => known.includes(name));
  if (isOne('debian', 'ubuntu')) return 'apt';
  if (isOne('fedora', 'rhel', 'centos')) return 'dnf';
  if (isOne('suse', 'opensuse', 'sles')) return 'zypper';
  return isOne('arch') ? 'pacman' : undefined;
}

/** How packages are installed there, given Debian's names of them. */
export function installCommand(release, debianNames) {
  const manager = packageManagerOf(release);
  if (manager === undefined) return `install ${debianNames.join(', ')} (names of Debian) with the distribution's package manager`;
  const names = debianNames.map((name) => systemPackages.find((one) => one.apt === name)?.[manager] ?? name);
  return `${installCommands[manager]} ${[...new Set(names)].join(' ')}`;
}

/** The remedy for packages of which apt knows nothing. */
export function unknownPackagesRemedy(release, names) {
  const are = `apt knows no package ${names.join(', ')}`;
  if (release.ID === 'ubuntu')
    return `${are}: on Ubuntu they are in universe. Add it and try again: apt-get install -y software-properties-common && add-apt-repository -y universe && apt-get update`;
  return `${are}: see that /etc/apt/sources.list.d names the distribution's main repository, and run apt-get update`;
}
