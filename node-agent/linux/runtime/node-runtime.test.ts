import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createPodNetwork } from '../../network/cni/pod-network.ts';
import { createCRIClient } from '../../cri/cri-client.ts';
import type { ContainerConfig, SandboxConfig } from '../../cri/messages.ts';
import { readRuntimePod } from '../../kubelet/runtime/runtime-pod.ts';
import { cgroupNames } from '../cgroups/cgroup-names.ts';
import { createCgroups } from '../cgroups/cgroups.ts';
import { cleanNode } from './clean-node.ts';
import { containerdSocket, createContainerd } from './containerd.ts';
import type { ContainerdPlan } from './containerd-config.ts';
import { createImageArchives } from './image-archives.ts';
import { readMachineFacts } from '../machine/machine.ts';
import { createMounts } from '../mounts/mounts.ts';
import { pauseImageName, pauseProgram } from './pause-image.ts';
import { findProcesses, signalProcess } from '../processes/processes.ts';
import { runProgram } from '../processes/run-program.ts';

const needed = ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/lib/cni/bridge', '/usr/sbin/nft', pauseProgram];
const cgroupRoot = '/kubets-test/kubepods';
const bridge = 'kubetstest0';
const uid = 'node-runtime-test';

function sandboxConfig(root: string): SandboxConfig {
  return {
    metadata: { name: 'p', uid, namespace: 'test', attempt: 0 },
    hostname: 'p',
    log_directory: `${root}/logs`,
    port_mappings: [],
    labels: { 'io.kubernetes.pod.uid': uid },
    annotations: {},
    linux: {
      cgroup_parent: `${cgroupRoot}/pod${uid}`,
      sysctls: {},
      security_context: {
        namespace_options: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
        privileged: false,
        seccomp: { profile_type: 'RuntimeDefault' },
      },
    },
  };
}

const container: ContainerConfig = {
  metadata: { name: 'c', attempt: 0 },
  image: { image: pauseImageName, user_specified_image: pauseImageName },
  command: [],
  args: [],
  working_dir: '',
  envs: [],
  mounts: [],
  devices: [],
  labels: { 'io.kubernetes.pod.uid': uid },
  annotations: {},
  log_path: 'c.log',
  stdin: false,
  stdin_once: false,
  tty: false,
  linux: {
    resources: { cpu_shares: 2, memory_limit_in_bytes: 64 << 20, oom_score_adj: 1000 },
    security_context: {
      capabilities: { add_capabilities: [], drop_capabilities: [] },
      privileged: false,
      namespace_options: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
      readonly_rootfs: true,
      supplemental_groups: [],
      no_new_privs: true,
      masked_paths: [],
      readonly_paths: [],
      seccomp: { profile_type: 'RuntimeDefault' },
    },
  },
};

describe('a real containerd, as root', function () {
  this.timeout(60_000);
  let root = '';
  before(async function () {
    const user = await runProgram('id', ['-u']);
    if (user.trim() !== '0' || !needed.every((file) => existsSync(file))) return this.skip();
    root = await mkdtemp(`${tmpdir()}/kubets-node-`);
  });
  after(async () => {
    if (root !== '') await rm(root, { recursive: true, force: true });
  });

  it('runs Pods, is killed, is found again with them, and is cleared away without a trace', async () => {
    const signal = new AbortController().signal;
    const directory = `${root}/containerd`;
    const plan: ContainerdPlan = {
      directory,
      socket: containerdSocket(directory),
      cniConfigDirectory: `${root}/net.d`,
      cniPluginDirectory: '/usr/lib/cni',
      pauseImage: pauseImageName,
      cgroupDriver: 'cgroupfs',
    };
    const network = createPodNetwork({
      bridge,
      unmasqueradedCIDRs: ['10.213.0.0/16'],
      pluginDirectory: plan.cniPluginDirectory,
      ipamDirectory: `${root}/ipam`,
      configDirectory: plan.cniConfigDirectory,
    });
    const containerd = createContainerd(plan, { clock: systemClock, logger: silentLogger });
    const cgroups = await createCgroups();
    const cri = createCRIClient({ endpoint: `unix://${plan.socket}`, clock: systemClock });
    try {
      await network.install({ podCIDRs: ['10.213.77.0/24'], mtu: 1500 });
      await containerd.ensureRunning(signal);
      await createImageArchives({ socket: plan.socket, record: `${directory}/loaded.json`, logger: silentLogger }).loadPauseImage(
        (await readMachineFacts()).architecture,
      );
      await cgroups.ensure(cgroupRoot, { cpuShares: 2 });

      const seen: string[] = [];
      const watching = new AbortController();
      const events = (async () => {
        for await (const event of cri.runtime.containerEvents(watching.signal)) {
          seen.push(event.container_event_type);
          if (seen.filter((type) => type === 'CONTAINER_STARTED_EVENT').length === 2) return;
        }
      })();
      const sandbox = sandboxConfig(root);
      const sandboxID = await cri.runtime.runPodSandbox(sandbox, '');
      const id = await cri.runtime.createContainer(sandboxID, container, sandbox);
      await cri.runtime.startContainer(id);
      await events;
      watching.abort();

      const [before] = (await readRuntimePod(cri.runtime, uid)).containers;
      assert.equal(before?.state, 'CONTAINER_RUNNING');
      const pid = Number(await readFile(`${directory}/containerd.pid`, 'utf8'));
      signalProcess(pid, 'SIGKILL');
      while (existsSync(`/proc/${pid}/exe`)) await new Promise((resolve) => setImmediate(resolve));
      await containerd.ensureRunning(signal);
      const found = await readRuntimePod(cri.runtime, uid);
      assert.deepEqual(
        [found.containers[0]?.id, found.containers[0]?.state, found.containers[0]?.started_at],
        [id, 'CONTAINER_RUNNING', before.started_at],
      );
      assert.match(found.sandboxes[0]?.network?.ip ?? '', /^10\.213\.77\.\d+$/);
    } finally {
      cri.close();
      await cleanNode({
        clock: systemClock,
        logger: silentLogger,
        runtime: plan,
        network,
        removeServiceRules: async () => {}, // the machine's, which a cluster beside this test may use
        cgroupNames: cgroupNames('cgroupfs', cgroupRoot),
        root,
        kubeletDirectory: root,
        podsDirectory: `${root}/pods`,
        keepImages: false,
      });
    }
    assert.equal(existsSync(root), false);
    assert.deepEqual(await createMounts().below(root), []);
    assert.deepEqual(await findProcesses((words) => words.join(' ').includes(root)), []);
    assert.equal((await readdir('/sys/class/net')).includes(bridge), false);
    assert.deepEqual(await cgroups.children('/kubets-test'), []);
  });
});
