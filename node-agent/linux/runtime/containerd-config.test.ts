import assert from 'node:assert/strict';
import { type ContainerdPlan, configuredDriver, containerdConfig, parseContainerdVersion } from './containerd-config.ts';

const plan: ContainerdPlan = {
  directory: '/data/containerd',
  socket: '/run/x.sock',
  cniConfigDirectory: '/data/net.d',
  cniPluginDirectory: '/usr/lib/cni',
  pauseImage: 'localhost/pause:1',
  cgroupDriver: 'cgroupfs',
};

describe("containerd's version", () => {
  const cases: [string, ReturnType<typeof parseContainerdVersion>][] = [
    ['containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1', { major: 1, minor: 7 }],
    ['containerd containerd.io 1.6.33 d2d58213f83a351ca8f528a95fbd145f5654e957', { major: 1, minor: 6 }],
    ['containerd github.com/containerd/containerd/v2 v2.0.7 abc', { major: 2, minor: 0 }],
    ['containerd github.com/containerd/containerd/v2 2.4.0-beta+unknown ', { major: 2, minor: 4 }],
  ];
  for (const [output, expected] of cases) it(output, () => assert.deepEqual(parseContainerdVersion(output), expected));

  it('is asked for where there is none', () => {
    assert.throws(() => parseContainerdVersion('containerd devel\n'), /no version is in what containerd says of itself: containerd devel$/);
  });
});

describe("containerd's configuration", () => {
  /** `table.key`, the tables as they are written, by its value. */
  const values = (config: string): Map<string, string> => {
    let table = '';
    const found = new Map<string, string>();
    for (const line of config.split('\n').map((each) => each.trim())) {
      const [, heading] = /^\[(.*)\]$/.exec(line) ?? [];
      const [, key = '', value = ''] = /^("[^"]+"|\w+) = (.*)$/.exec(line) ?? [];
      if (heading !== undefined) table = `${heading}.`;
      else if (key !== '') {
        assert.ok(!found.has(table + key), `${table}${key} stands twice`);
        found.set(table + key, value);
      }
    }
    return found;
  };
  const old = 'plugins."io.containerd.grpc.v1.cri"';
  const [images, runtime] = ['plugins."io.containerd.cri.v1.images"', 'plugins."io.containerd.cri.v1.runtime"'];
  const cases: [string, { readonly major: number; readonly minor: number }, Record<string, string | undefined>][] = [
    [
      '1.7',
      { major: 1, minor: 7 },
      {
        version: '2',
        [`${old}.sandbox_image`]: '"localhost/pause:1"',
        [`${old}.restrict_oom_score_adj`]: 'true',
        [`${old}.cni.bin_dir`]: '"/usr/lib/cni"',
        [`${old}.cni.conf_dir`]: '"/data/net.d"',
        [`${old}.registry.config_path`]: '"/data/containerd/certs.d"',
        [`${old}.containerd.runtimes.runc.options.Root`]: '"/data/containerd/runc"',
        [`${runtime}.enable_cdi`]: undefined,
      },
    ],
    [
      '2.0',
      { major: 2, minor: 0 },
      {
        version: '3',
        [`${images}.pinned_images.sandbox`]: '"localhost/pause:1"',
        [`${images}.snapshotter`]: '"overlayfs"',
        [`${images}.registry.config_path`]: '"/data/containerd/certs.d"',
        [`${runtime}.restrict_oom_score_adj`]: 'true',
        [`${runtime}.netns_mounts_under_state_dir`]: 'true',
        [`${runtime}.cni.bin_dir`]: '"/usr/lib/cni"',
        [`${runtime}.cni.conf_dir`]: '"/data/net.d"',
        [`${runtime}.containerd.runtimes.runc.options.SystemdCgroup`]: 'false',
        [`${old}.stream_server_address`]: '"127.0.0.1"',
        [`${old}.sandbox_image`]: undefined,
      },
    ],
    ['2.1', { major: 2, minor: 1 }, { [`${runtime}.cni.bin_dirs`]: '["/usr/lib/cni"]', [`${runtime}.cni.bin_dir`]: undefined }],
    ['3.0', { major: 3, minor: 0 }, { version: '3', [`${runtime}.cni.bin_dirs`]: '["/usr/lib/cni"]' }],
  ];
  const ofAll = {
    root: '"/data/containerd/root"',
    'grpc.address': '"/run/x.sock"',
    // Slow is not dead: by its defaults containerd kills what answers late.
    'timeouts."io.containerd.timeout.shim.load"': '"60s"',
    'timeouts."io.containerd.timeout.task.state"': '"15s"',
  };
  for (const [name, version, expected] of cases) {
    it(`of ${name} says everything where that version looks for it`, () => {
      const found = values(containerdConfig(plan, version));
      for (const [key, value] of Object.entries({ ...ofAll, ...expected })) assert.equal(found.get(key), value, key);
    });
  }

  it('has shims run the runc that tries again, where there is one', () => {
    for (const major of [1, 2]) {
      const machine = { hasAppArmor: false, mayLowerOOMScores: false };
      const key = `${major === 1 ? old : runtime}.containerd.runtimes.runc.options.BinaryName`;
      const version = { major, minor: 1 };
      assert.equal(values(containerdConfig(plan, version, { ...machine, patientRunc: '/data/runc' })).get(key), '"/data/runc"');
      assert.equal(values(containerdConfig(plan, version, machine)).get(key), undefined);
    }
  });

  it('has systemd make cgroups where the node does', () => {
    for (const version of [
      { major: 1, minor: 7 },
      { major: 2, minor: 1 },
    ]) {
      for (const cgroupDriver of ['cgroupfs', 'systemd'] as const) {
        const config = containerdConfig({ ...plan, cgroupDriver }, version);
        assert.match(config, new RegExp(`^ +SystemdCgroup = ${cgroupDriver === 'systemd'}$`, 'm'));
        assert.equal(configuredDriver(config), cgroupDriver);
      }
    }
  });

  it('leaves AppArmor to containerd where the machine has it', () => {
    for (const version of [
      { major: 1, minor: 7 },
      { major: 2, minor: 1 },
    ]) {
      assert.match(containerdConfig(plan, version), /^ +disable_apparmor = true$/m);
      assert.match(containerdConfig(plan, version, { hasAppArmor: true, mayLowerOOMScores: false }), /^ +disable_apparmor = false$/m);
    }
  });

  it('restricts the scores of the OOM killer only where they cannot be lowered', () => {
    for (const version of [
      { major: 1, minor: 7 },
      { major: 2, minor: 1 },
    ]) {
      const config = (mayLowerOOMScores: boolean) => containerdConfig(plan, version, { hasAppArmor: false, mayLowerOOMScores });
      assert.match(config(true), /^ +restrict_oom_score_adj = false$/m);
      assert.match(config(false), /^ +restrict_oom_score_adj = true$/m);
    }
  });
});
