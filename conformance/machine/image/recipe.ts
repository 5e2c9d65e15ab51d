import { createHash } from 'node:crypto';
import { type ImageVariant, type VariantParts, variantParts } from './variants.ts';

/** The Debian release that the machine runs. */
const release = 'trixie';
/** The kernel that Debian's own cloud images have; its initrd is made by initramfs-tools, as on every installed Debian. */
export const kernelPackage = 'linux-image-cloud-amd64';

/** A small Debian server as an installer or a cloud image leaves it, with the two programs that the README asks for. */
const systemPackages = [
  'systemd',
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'udev',
  'kmod',
  'iproute2',
  'procps',
  'ca-certificates',
  'openssh-server',
  'apparmor',
  'initramfs-tools',
  'zstd',
  'e2fsprogs',
  'nodejs',
  'npm',
  'git',
  'curl',
];

/** The packages that `npm run up` installs where they are missing: the emulated machine has no network to get them from. */
const nodePackages = ['containerd', 'runc', 'containernetworking-plugins', 'nftables', 'iptables', 'conntrack', 'catatonit', 'mount'];

/** The packages of which the README's command builds the images of the guestbook. */
const imagePackages = ['busybox-static', 'nginx-light', 'redis-server', 'redis-tools'];

export const packages: readonly string[] = [...systemPackages, ...nodePackages, ...imagePackages];

/** The services that a package enables and that a server of containers would not have. */
const unwantedServices = ['nginx', 'redis-server', 'e2scrub_all.timer', 'apt-daily.timer', 'apt-daily-upgrade.timer'];

/** The hardware addresses by which a machine recognizes its networks. */
export const hardwareAddresses = {
  /** The only network of a single machine. */
  only: '52:54:00:aa:00:01',
  /** The network through which the test reaches one of several machines, and which carries nothing else. */
  management: '52:54:00:aa:00:02',
  /** The network between the machines; counted from 1. */
  between: (index: number): string => `52:54:00:bb:00:${index.toString(16).padStart(2, '0')}`,
} as const;

/** The address of one of several machines in the network between them; counted from 1. */
export const addressBetween = (index: number): string => `192.168.77.${index}`;
/** The address of the machine in the emulator's own network. */
export const managementAddress = '10.0.2.15';

const mostMachines = 3;

const network = (hardwareAddress: string, address: string, gateway?: string): string =>
  [
    '[Match]',
    `MACAddress=${hardwareAddress}`,
    '[Network]',
    `Address=${address}/24`,
    'LinkLocalAddressing=no',
    'IPv6AcceptRA=no',
    ...(gateway === undefined ? [] : [`Gateway=${gateway}`]),
    '',
  ].join('\n');

/** The files of the image by path, beside those of packages. */
export function imageFiles(mirror: string, variant: ImageVariant): ReadonlyMap<string, string> {
  const files = new Map([
    ['etc/apt/sources.list', aptSources(mirror)],
    ['etc/hosts', ['127.0.0.1 localhost', '::1 localhost', ...machineNames().map((name) => `127.0.1.1 ${name}`), ''].join('\n')],
    ['etc/systemd/network/10-only.network', network(hardwareAddresses.only, managementAddress, '10.0.2.2')],
    ['etc/systemd/network/10-management.network', network(hardwareAddresses.management, managementAddress)],
  ]);
  for (let index = 1; index <= mostMachines; index++)
    files.set(
      `etc/systemd/network/20-between-${index}.network`,
      network(hardwareAddresses.between(index), addressBetween(index), '192.168.77.254'),
    );
  for (const [name, content] of partsOf(variant)?.files ?? []) files.set(name, content);
  return files;
}

/** The emulator's server of names: it is there, and knows none. */
const nameserver = '10.0.2.3';

function partsOf(variant: ImageVariant): VariantParts | undefined {
  return variantParts(variant, { hardwareAddress: hardwareAddresses.only, address: managementAddress, gateway: '10.0.2.2', nameserver });
}

export function machineNames(): string[] {
  return Array.from({ length: mostMachines }, (_, index) => `node${index + 1}`);
}

function aptSources(mirror: string): string {
  return `deb ${mirror} ${release} main\ndeb ${mirror} ${release}-updates main\ndeb ${mirror}-security ${release}-security main\n`;
}

/** The size of the machine's disk; unwritten parts use no space. */
export const diskSize = '16G';

/**
 * The script that makes the root file system in the folder `$1`, for `sh` as root in its own mount and process namespace: its mounts and
 * processes end with it. `$2` is the mirror, `$3` a folder with the files of the image.
 */
export function rootFileSystemScript(variant: ImageVariant): string {
  const { install = '', finish = '' } = partsOf(variant) ?? {};
  return `set -eu
root=$1 mirror=$2 files=$3
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
debootstrap --variant=minbase ${release} "$root" "$mirror" >&2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp -r "$files/." "$root/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# Proxies and the like of this machine, while packages are fetched.
apt-config dump Acquire >"$root/etc/apt/apt.conf.d/00build"
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get -q update
chroot "$root" apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends install ${packages.join(' ')} ${kernelPackage}
${install}chroot "$root" apt-get clean
rm "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/00build"
# The emulator's server of names: it is there, and knows none.
echo 'nameserver ${nameserver}' >"$root/etc/resolv.conf"
chroot "$root" systemctl -q enable systemd-networkd ssh
chroot "$root" systemctl -q disable ${unwantedServices.join(' ')}
chroot "$root" passwd -q -d root
${finish}: >"$root/etc/machine-id"
umount -R "$root/dev"
umount "$root/proc"
`;
}

export interface ImageInputs {
  /** The newest version of the kernel package that this machine's package lists know; empty if they know none. */
  readonly kernelVersion: string;
  readonly mirror: string;
  readonly packageLock: string;
  readonly variant: ImageVariant;
}

/** The name of the image: a hash of all that it is made of. */
export function imageKey({ kernelVersion, mirror, packageLock, variant }: ImageInputs): string {
  const parts = [rootFileSystemScript(variant), diskSize, ...[...imageFiles(mirror, variant)].flat(), kernelVersion, packageLock];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
