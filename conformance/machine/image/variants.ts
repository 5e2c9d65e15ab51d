/** The variants of an image: a stock machine, and others that users have. */
export const imageVariants = ['stock', 'cloud', 'next'] as const;

export type ImageVariant = (typeof imageVariants)[number];

/** Files and steps of a variant beside those of a stock machine. */
export interface VariantParts {
  /** Files by their path, in place of those of the stock machine of the same path. */
  readonly files: ReadonlyMap<string, string>;
  /** Lines of `sh` that run when the stock machine's packages are installed: `$root` is the tree, `$mirror` the mirror. */
  readonly install: string;
  /** Lines that run at the end. */
  readonly finish: string;
}

interface VariantNetwork {
  readonly hardwareAddress: string;
  readonly address: string;
  readonly gateway: string;
  readonly nameserver: string;
}

/** The parts of a variant; undefined for the stock machine. */
export function variantParts(variant: ImageVariant, network: VariantNetwork): VariantParts | undefined {
  if (variant === 'stock') return undefined;
  return variant === 'cloud' ? cloudParts(network) : nextParts;
}

const install = (packages: readonly string[]) =>
  `chroot "$root" apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends install ${packages.join(' ')}\n`;

/** cloud-init configures the network of NetworkManager, and systemd-resolved answers for names at 127.0.0.53. */
function cloudParts({ hardwareAddress, address, gateway, nameserver }: VariantNetwork): VariantParts {
  const seed = 'var/lib/cloud/seed/nocloud';
  const networkConfig = {
    version: 2,
    ethernets: {
      eth0: {
        match: { macaddress: hardwareAddress },
        addresses: [`${address}/24`],
        routes: [{ to: '0.0.0.0/0', via: gateway }],
        nameservers: { addresses: [nameserver] },
      },
    },
  };
  return {
    files: new Map([
      [`${seed}/meta-data`, 'instance-id: machine-test\n'],
      [
        `${seed}/user-data`,
        '#cloud-config\npreserve_hostname: true\nmanage_etc_hosts: false\ndisable_root: false\nssh_deletekeys: false\n',
      ],
      // JSON is YAML as well.
      [`${seed}/network-config`, `${JSON.stringify(networkConfig)}\n`],
      ['etc/cloud/cloud.cfg.d/90-machine-test.cfg', 'datasource_list: [NoCloud]\n'],
      ['etc/systemd/network/10-only.network', ''],
    ]),
    // The link to the stub leads nowhere while the machine is made.
    install: `${install(['network-manager', 'systemd-resolved', 'cloud-init'])}rm -f "$root/etc/resolv.conf"\n`,
    finish: [
      'rm "$root/etc/systemd/network/10-only.network"',
      'chroot "$root" systemctl -q disable systemd-networkd',
      'chroot "$root" systemctl -q enable NetworkManager systemd-resolved',
      'ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"',
      '',
    ].join('\n'),
  };
}

/** containerd and runc of Debian's next release. */
const nextParts: VariantParts = {
  files: new Map(),
  install: [
    'echo "deb $mirror unstable main" >"$root/etc/apt/sources.list.d/unstable.list"',
    'chroot "$root" apt-get -q update',
    `${install(['containerd/unstable', 'runc/unstable'])}rm "$root/etc/apt/sources.list.d/unstable.list"`,
    '',
  ].join('\n'),
  finish: '',
};
